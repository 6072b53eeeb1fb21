/** S5: is it me or them? What `lastgood status` says of an outage, of the things that are none, and of a page that cannot be read. */
import { reply, story, text, type Fault, type Outage, type StatusPageOptions } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { journey, keepScreen, type Journey } from './stage.ts'

const model = story([reply(text('The tests are green.')), reply(text('The docs are written.'))])
const turns = ['Make the tests green', 'Write the docs']

interface Status {
  providers: {
    model: string
    down: boolean
    breaker: string
    nextProbeAt: string | null
    last10Min: { answered: number; failed: number }
  }[]
  statusPage: {
    says: string
    ageMs: number | null
    checkedAt: string | null
    incidents: object[]
    failure: string | null
  }
  open: { sessionId: string; status: string }[]
  verdict: { kind: string; text: string; command: string | null }
}

/** Turn 1 was answered; turn 2 meets `fault` until the breaker is open. */
async function inAnOutage(statusPage: StatusPageOptions): Promise<Journey> {
  const outages: Outage[] = [{ when: { requests: [2, Infinity] }, fault: { kind: 'status', status: 529 } }]
  const at = await journey({ model, outages, statusPage }, { WAIT_MS: '20' })
  const program = at.start('main', ['fix-auth', ...turns])
  await expect.poll(async () => (await at.entriesOf('request-held')).length, { timeout: 20_000 }).toBeGreaterThan(0)
  await program.kill()
  return at
}

const page = (at: Journey) => ({ env: { LASTGOOD_STATUS_URL: at.lab.statusUrl } })

describe('S5: `lastgood status` in an outage', () => {
  test('says that it is not you, what it met itself, what the page says and how old that is, and when it is tried next', async () => {
    const incident = { name: 'Elevated errors on Claude Opus 5.5', startsMs: 0, impact: 'major' as const }
    const at = await inAnOutage({ incidents: [incident], onsetLagMs: 0 })
    const { code, screen } = await at.terminal('lastgood', ['status'], { ...page(at), columns: 140 }).ended
    keepScreen('s05-outage', screen)
    expect(code).toBe(0)
    expect(screen).toMatch(
      /claude-opus-5-5 +\S+ +1\/\d+ ok +1\/\d+ ok +down for \S+ · next probe .* last fault overloaded/,
    )
    expect(screen).toMatch(/status page +investigating 'Elevated errors on Claude Opus 5\.5' \(\d\S* old; /)
    expect(screen).toContain(
      'The API is failing for everyone here, not because of your prompt, key or quota: 1 session waits',
    )
    expect(screen).toMatch(/next probe (in \d+s|now)\n {2}next: lastgood resume fix-auth$/)

    const { providers, statusPage, open, verdict } = await at.json<Status>('lastgood', ['status'], page(at))
    expect(verdict).toMatchObject({ kind: 'outage', command: 'lastgood resume fix-auth' })
    expect(providers).toMatchObject([{ model: 'claude-opus-5-5', down: true, last10Min: { answered: 1 } }])
    expect(providers[0]!.last10Min.failed).toBeGreaterThanOrEqual(5)
    expect(providers[0]!.nextProbeAt).toMatch(/Z$/)
    expect(statusPage).toMatchObject({ says: 'incident', incidents: [{ name: incident.name, impact: 'major' }] })
    expect(statusPage.ageMs).toBeGreaterThanOrEqual(0)
    expect(open).toMatchObject([{ sessionId: 'fix-auth', status: 'waiting' }])
  })

  test('calls a page that cannot be read unknown, not green, and judges by what it met all the same', async () => {
    const at = await inAnOutage({ blockedWith: 'unreachable' })
    const { stdout } = await at.run('lastgood', ['status'], page(at))
    keepScreen('s05-page-unreachable', stdout)
    expect(stdout).toMatch(/status page +unknown .*last try: /)
    expect(stdout).not.toMatch(/operational/i)
    const { statusPage, verdict } = await at.json<Status>('lastgood', ['status'], page(at))
    expect(statusPage).toMatchObject({ says: 'unknown', ageMs: null, failure: expect.any(String) })
    expect(verdict.kind).toBe('outage')
  })
})

describe('S5: never called an outage:', () => {
  test.each<[string, Fault]>([
    ['401', { kind: 'status', status: 401 }],
    ['402', { kind: 'status', status: 402, type: 'billing_error' }],
    ['400', { kind: 'status', status: 400, message: 'max_tokens: must be greater than 0' }],
  ])('%s, also in two sessions', async (name, fault) => {
    const at = await journey({ model, outages: [{ when: { requests: [1, Infinity] }, fault }] })
    const ran = await Promise.all(['one', 'two'].map((id) => at.run('main', [id, ...turns])))
    expect(ran.map(({ code }) => code)).toEqual([1, 1])
    const { screen } = await at.terminal('lastgood', ['status'], { columns: 140 }).ended
    keepScreen(`s05-${name}`, screen)
    expect(screen).not.toMatch(/outage of the API|failing for everybody|it may be the API|\bdown\b/)
    expect(screen).toContain('No outage: the API refuses 2 sessions, each for a reason it gives')
    const { verdict, providers } = await at.json<Status>('lastgood', ['status'])
    expect(verdict.kind).not.toMatch(/outage|unreachable/)
    expect(providers.every(({ breaker, down }) => breaker === 'closed' && !down)).toBe(true)
  })
})

test('S5: a wrong key that all sessions use is not called a failing API, however many of them meet it', async () => {
  const at = await journey({
    model,
    outages: [{ when: { requests: [1, Infinity] }, fault: { kind: 'status', status: 401 } }],
  })
  for (const id of ['one', 'two']) expect(await at.run('main', [id, ...turns])).toMatchObject({ code: 1 })
  // From the third on it looks like an outage of the login, and is waited out; the fifth failure in a row opens the breaker.
  const others = ['three', 'four', 'five'].map((id) => at.start('main', [id, ...turns]))
  const status = () => at.json<Status>('lastgood', ['status'])
  await expect.poll(async () => (await status()).providers[0]?.breaker, { timeout: 40_000 }).not.toBe('closed')
  await Promise.all(others.map((other) => other.kill()))
  const { verdict } = await status()
  expect(verdict.text).not.toContain('not because of your prompt, key or quota')
  expect(verdict).toMatchObject({ kind: 'login', text: expect.stringContaining('or the key that all share') })
})
