/** Rows 13 and 14: a refused login, and how an outage of the login system is told from a dead key. */
import { again, invalid, parked, refusal, resent, times, well, type FaultCase } from './fault-case.ts'

const denied = refusal(401, 'authentication_error', 'invalid x-api-key')
const forbidden = refusal(403, 'permission_error', 'Your key may not do this')

export const auth: readonly FaultCase[] = [
  {
    row: 13,
    signal: 'a 401',
    claim: 'the first refused login is sent once more at once, with fresh credentials if there are any',
    served: [denied],
    given: { freshCredentials: true },
    expect: { faults: [resent('auth-blocked')], caller: well, sent: { authorization: 'Bearer fresh' } },
  },
  {
    row: 13,
    signal: 'a 401, without `credentials`',
    claim: 'without fresh credentials the same request is sent once more',
    served: [denied],
    expect: { faults: [resent('auth-blocked')], caller: well },
  },
  {
    row: 14,
    signal: 'a second 401',
    claim: 'a login that is refused twice parks the session, with a next try in minutes',
    served: [denied, denied],
    expect: {
      faults: [resent('auth-blocked'), parked('auth-blocked', /Check the key, organisation/, 300_000)],
      caller: { error: 'session-suspended' },
    },
  },
  {
    row: 14,
    signal: '403 `permission_error`',
    claim: 'a request without the permission is not sent again',
    served: [forbidden],
    expect: { faults: [parked('auth-blocked', /Check the key/, 300_000)], caller: { error: 'session-suspended' } },
  },
  {
    row: 14,
    signal: '400 `organization_on_hold`',
    claim: 'a 400 about the account is about the account, not the conversation',
    served: [invalid('On hold', 'organization_on_hold')],
    expect: { faults: [parked('auth-blocked', /Check the key/, 300_000)], caller: { error: 'session-suspended' } },
  },
  {
    row: 14,
    signal: '400 "This organization has been disabled"',
    claim: 'a disabled organisation parks the session and is not reported as a bad request',
    served: [invalid('This organization has been disabled.')],
    expect: { faults: [parked('auth-blocked', /Check the key/, 300_000)], caller: { error: 'session-suspended' } },
  },
  {
    row: 14,
    signal: '401 for several sessions at once',
    claim: 'many refused sessions are an outage of the login system: one re-send, then waits of at least a minute',
    served: times(3, denied),
    given: { others: 'denied' },
    expect: {
      faults: [resent('auth-outage'), again('auth-outage', 60_000, 180_000), again('auth-outage', 60_000, 300_000)],
      caller: well,
    },
  },
  {
    row: 14,
    signal: '401 for a key that worked a moment ago',
    claim: 'a key that was good within the hour is not declared dead',
    served: [denied, denied],
    given: { answeredBefore: true },
    expect: {
      faults: [resent('auth-outage'), again('auth-outage', 60_000, 180_000)],
      caller: well,
    },
  },
  {
    row: 14,
    signal: '403 `api_key_scope_missing` for several sessions',
    claim: 'the code of an error is trusted: a missing scope is not an outage',
    served: [refusal(403, 'permission_error', 'Scope', 'api_key_scope_missing')],
    given: { others: 'denied' },
    expect: { faults: [parked('auth-blocked', /Check the key/, 300_000)], caller: { error: 'session-suspended' } },
  },
]
