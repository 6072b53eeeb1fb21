/** Rows 10 to 12: limits that refill, and limits that only a person can raise. */
import { again, http, invalid, parked, refusal, resent, usedUp, well, type FaultCase } from './fault-case.ts'

const limited = (message: string, code = '', headers: Readonly<Record<string, string>> = {}) =>
  refusal(429, 'rate_limit_error', message, code, headers)

/** A spend cap looks like a rate limit or a bad request, and is neither. */
const money = (
  [
    ['402 `billing_error`', refusal(402, 'billing_error', 'No billing')],
    [
      '402 `linked_organization_spend_limit_reached`',
      refusal(402, 'billing_error', 'No', 'linked_organization_spend_limit_reached'),
    ],
    ['429 `enforced_spend_limit_reached`', limited('Spend limit', 'enforced_spend_limit_reached')],
    ['429 `contract_spend_limit_reached`', limited('Contract', 'contract_spend_limit_reached')],
    ['400 "specified API usage limits"', invalid('You have reached your specified API usage limits.')],
    ['400 "credit balance is too low"', invalid('Your credit balance is too low to access the Anthropic API.')],
    [
      '400 "out of extra usage"',
      invalid("You're out of extra usage. Add more at claude.ai/settings/usage and keep going."),
    ],
    ['429 `budget_exceeded` of a gateway', refusal(429, 'budget_exceeded', 'Budget has been exceeded!')],
    ['429 "extra usage is required"', limited('Extra usage is required for long context requests.')],
  ] as const
).map(([signal, served]): FaultCase => ({
  row: 12,
  signal,
  claim: `${signal.replaceAll('`', '')}: never a loop, parked at once with the reason`,
  served: [served],
  expect: {
    faults: [parked('spend-blocked', /spend limit or balance is used up/, 3_600_000)],
    caller: { error: 'session-suspended' },
  },
}))

export const limitsAndBilling: readonly FaultCase[] = [
  {
    row: 10,
    signal: '429 with `retry-after: 17`',
    claim: 'the wait is what the server asks for, plus a little jitter',
    served: [limited('Too many tokens', '', { 'retry-after': '17' })],
    expect: { faults: [again('rate-limited', 17_000, 18_000, { fault: { retryAfterMs: 17_000 } })], caller: well },
  },
  {
    row: 10,
    signal: '429 with `retry-after-ms`',
    claim: 'the exact header takes precedence over the rounded one',
    served: [limited('Too many tokens', '', { 'retry-after': '17', 'retry-after-ms': '1500' })],
    expect: { faults: [again('rate-limited', 1_500, 2_500)], caller: well },
  },
  {
    row: 10,
    signal: '429 with a date in `retry-after`',
    claim: 'a date is read as one',
    served: [limited('Too many tokens', '', { 'retry-after': 'Thu, 01 Jan 2026 00:01:00 GMT' })],
    expect: { faults: [again('rate-limited', 59_000, 61_000)], caller: well },
  },
  {
    row: 10,
    signal: '429 with `retry-after: 0`',
    claim: 'zero does not mean to retry without a pause',
    served: [limited('No', '', { 'retry-after': '0' }), limited('No', '', { 'retry-after': '0' })],
    expect: { faults: [again('rate-limited', 0, 1_000), again('rate-limited', 0, 2_000)], caller: well },
  },
  {
    row: 10,
    signal: '429 with `retry-after: 3600`',
    claim: 'an hour is too long to wait: the session is parked until then',
    served: [limited('No', '', { 'retry-after': '3600' })],
    expect: {
      faults: [parked('rate-limited', /asks for a pause of 60 min/, undefined, { waitMs: [3_600_000, 3_601_000] })],
      caller: { error: 'session-suspended' },
    },
  },
  {
    row: 10,
    signal: '429 of a window of hours without `retry-after`',
    claim: 'the end of the window that is used up is known from its own headers',
    served: [limited('No', '', usedUp)],
    expect: {
      faults: [parked('rate-limited', /asks for a pause of 2 h/, undefined, { waitMs: [7_200_000, 7_201_000] })],
      caller: { error: 'session-suspended' },
    },
  },
  {
    row: 10,
    signal: '429, with a ladder',
    claim: 'a rate limit does not change the model: that would only cost a cold cache',
    served: [limited('No', '', { 'retry-after': '60' }), limited('No', '', { 'retry-after': '60' })],
    given: { ladder: ['claude-sonnet-5-5'] },
    expect: {
      faults: [again('rate-limited', 60_000, 61_000), again('rate-limited', 60_000, 62_000)],
      caller: well,
      sent: { model: 'claude-opus-5-5' },
    },
  },
  {
    row: 11,
    signal: '429 `ramp_limit_exceeded`',
    claim: 'after traffic that grew too fast, each wait is longer',
    served: [limited('Grew too fast', 'ramp_limit_exceeded'), limited('Grew too fast', 'ramp_limit_exceeded')],
    expect: { faults: [again('rate-limited', 0, 5_000), again('rate-limited', 0, 10_000)], caller: well },
  },
  {
    row: 11,
    signal: '429 without `retry-after`',
    claim: 'a limit without a time is waited out, starting at 5 s',
    served: [limited('Number of requests has exceeded your rate limit'), http(429)],
    expect: { faults: [again('rate-limited', 0, 5_000), again('rate-limited', 0, 10_000)], caller: well },
  },
  {
    row: 11,
    signal: '429 without a time, with `x-should-retry: false`',
    claim: 'a limit that asks for no re-send parks the session',
    served: [limited('No', '', { 'x-should-retry': 'false' })],
    expect: {
      faults: [parked('rate-limited', /asks not to be retried/, undefined, { waitMs: [900_000, 905_000] })],
      caller: { error: 'session-suspended' },
    },
  },
  ...money,
  {
    row: 12,
    signal: '429 `enforced_spend_limit_reached` with `x-should-retry: true`',
    claim: 'not even the header makes lastgood wait for a spend limit',
    served: [limited('Spend limit', 'enforced_spend_limit_reached', { 'x-should-retry': 'true' })],
    expect: { faults: [parked('spend-blocked', /Raise it/, 3_600_000)], caller: { error: 'session-suspended' } },
  },
  {
    row: 12,
    signal: '402, with a ladder',
    claim: 'a fault about money does not change the model',
    served: [refusal(402, 'billing_error', 'No billing')],
    given: { ladder: ['claude-sonnet-5-5'] },
    expect: { faults: [parked('spend-blocked', /Raise it/, 3_600_000)], caller: { error: 'session-suspended' } },
  },
  {
    row: 12,
    signal: 'a spend limit, found after a refused login',
    claim: 'a parked session gives the last reason, not the first',
    served: [refusal(401, 'authentication_error', 'No'), refusal(402, 'billing_error', 'No billing')],
    expect: {
      faults: [resent('auth-blocked'), parked('spend-blocked', /Raise it/, 3_600_000)],
      caller: { error: 'session-suspended' },
    },
  },
]
