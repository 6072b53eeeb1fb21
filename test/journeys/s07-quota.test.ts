/** S7: a limit, an empty account or a wrong key is no outage: it is waited for until it is over, or told with what mends it. */
import { reply, story, text, type Fault } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { journey, keepScreen, lastLine, type Journey } from './stage.ts'

const model = story([reply(text('The tests are green.')), reply(text('The docs are written.'))])

/** A session whose first turn is saved, before the second meets `fault`. */
async function meeting(fault: Fault, requests: [number, number] = [2, Infinity]): Promise<Journey> {
  const at = await journey({ model, outages: [{ when: { requests }, fault }] })
  // Hours ago: within an hour of an answer a refused login is an outage of the login, and waited out.
  const env = { AGO_MS: String(3 * 3_600_000) }
  expect(await at.run('main', ['fix-auth', 'Make the tests green'], { env })).toMatchObject({ code: 0 })
  return at
}

const command = ['resume', 'fix-auth', 'Write the docs']
const limit = (retryAfter: string): Fault => ({
  kind: 'status',
  status: 429,
  type: 'rate_limit_error',
  headers: { 'retry-after': retryAfter },
})

describe('S7: a rate limit that says when it is over', () => {
  test('soon, is waited for exactly until then, and nothing is asked in between', async () => {
    const at = await meeting(limit('2'), [2, 2])
    const { code, stderr } = await at.run('lastgood', command)
    expect(code).toBe(0)
    keepScreen('s07-rate-limit', stderr)
    expect(stderr).toMatch(/◐ API 429 rate_limit_error · attempt 1 · next in \ds · saved at turn 1/)
    const [, refused, answered, ...more] = at.lab.requests
    expect(more).toEqual([])
    expect(answered!.at - refused!.at).toBeGreaterThanOrEqual(2000)
  })

  test('in an hour, suspends until then after one request; who comes back earlier is told the instant', async () => {
    const at = await meeting(limit('3600'))
    const before = Date.now()
    const { code, stdout, stderr } = await at.run('lastgood', [...command, '--json'])
    const after = Date.now()
    expect(code).toBe(75)
    const { retryAt, ...document } = JSON.parse(stdout) as Record<string, unknown> & { retryAt: string }
    expect(document).toMatchObject({ state: 'suspended', lastGoodTurn: 1, error: { code: 'session-suspended' } })
    expect(Date.parse(retryAt)).toBeGreaterThanOrEqual(before + 3_600_000)
    expect(Date.parse(retryAt)).toBeLessThan(after + 3_600_000 + 60_000)
    expect(at.lab.requests).toHaveLength(2)
    expect(stderr).toContain('The server asks for a pause of 60 min')
    expect(stderr).toMatch(/in (59m\d\ds|1h00m) or later, continue with\nlastgood resume fix-auth\n$/)
  })
})

describe('S7: what no waiting mends is told at once, with the fix', () => {
  test.each<[string, Fault, number, RegExp]>([
    [
      'an empty balance',
      {
        kind: 'status',
        status: 400,
        type: 'invalid_request_error',
        message: 'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.',
      },
      1,
      /spend limit or balance is used up\. Raise it, then resume/,
    ],
    [
      'a spend limit that comes as a 429',
      {
        kind: 'status',
        status: 429,
        type: 'rate_limit_error',
        message: 'You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.',
      },
      1,
      /Raise it, then resume/,
    ],
    // Once more with fresh credentials, since a key may have been changed a moment ago.
    ['a wrong key', { kind: 'status', status: 401, type: 'authentication_error' }, 2, /Check the key, organisation/],
  ])('%s', async (name, fault, requests, fix) => {
    const at = await meeting(fault)
    const { code, stdout, stderr } = await at.run('lastgood', [...command, '--json'])
    keepScreen(`s07-${name.replaceAll(' ', '-')}`, stderr)
    expect(JSON.parse(stdout)).toMatchObject({ state: 'suspended', lastGoodTurn: 1 })
    expect(code).toBe(75)
    expect(stderr).toMatch(fix)
    expect(lastLine(stderr)).toBe('lastgood resume fix-auth')
    expect(at.lab.requests).toHaveLength(1 + requests)
  })

  test('and mended by a person, the same command goes on', async () => {
    const at = await meeting({ kind: 'status', status: 402, type: 'billing_error' })
    expect(await at.run('lastgood', command)).toMatchObject({ code: 75 })
    at.lab.setOutages([])
    expect(await at.json('lastgood', command)).toMatchObject({ code: 0, text: 'The docs are written.', turn: 2 })
    expect(await at.entriesOf('turn-started')).toHaveLength(2)
  })
})
