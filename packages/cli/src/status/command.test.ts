import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { providerHealth, systemClock, type Store } from '@lastgood/core'
import { reply, startLab, text, type Lab } from '@lastgood/outage-lab'
import { describe, expect, it, onTestFinished } from 'vitest'
import { answered, ended, newFolder, overloaded, project, run, seed, sent, started } from '../../test/context.ts'

const key = { endpoint: 'http://127.0.0.1:1', model: 'claude-opus-5-5' }
const incident = { name: 'Elevated errors on Claude Opus 5', impact: 'major' } as const

/** A status page with these incidents, or with a challenge before it. */
async function startStatusPage(answer: readonly (typeof incident)[] | 405) {
  const statusPage =
    answer === 405
      ? { blockedWith: answer }
      : { incidents: answer.map((one) => ({ ...one, startsMs: 0 })), onsetLagMs: 0 }
  const lab: Lab = await startLab({ model: () => reply(text('Hi.')), statusPage })
  onTestFinished(() => lab.close())
  return {
    url: `${lab.url}/api/v2/summary.json`,
    host: new URL(lab.url).host,
    asked: () => lab.requests.length,
  }
}

/** Five failures of several sessions: the breaker opens. */
async function outage(store: Store): Promise<void> {
  const health = providerHealth(store.shared, systemClock)
  for (const session of ['a', 'b', 'c', 'd', 'e'])
    await health.report(key, session, { kind: 'fault', fault: 'overloaded' })
  await seed(store, 'waits', [started(1), sent(), overloaded(3_600_000, Date.now())])
  await seed(store, 'done', [started(1), sent(), answered('Yes.'), ended(1)])
}

const status = (cwd: string, flags: readonly string[] = [], env: Record<string, string> = {}) =>
  run(['status', '--store', 'state', ...flags], { cwd, env })

describe('status', () => {
  it('says what requests met, what the page says, who waits, whose fault it is, and what to do', async () => {
    const { cwd, store } = project()
    const { url, host } = await startStatusPage([incident])
    await outage(store)
    const { code, stdout, stderr } = await status(cwd, [], { LASTGOOD_STATUS_URL: url })
    expect({ code, stderr }).toEqual({ code: 0, stderr: `store    file:${cwd}/state (--store)\n` })
    expect(stdout).toMatch(/claude-opus-5-5 +http:\/\/127\.0\.0\.1:1 +0\/5 ok +0\/5 ok +down for \S+ · next probe/)
    expect(stdout).toContain(`status page  investigating '${incident.name}' (`)
    expect(stdout).toContain(`${host})\n`)
    expect(stdout).toMatch(/waiting +waits +\S+ +in \S+ +529 overloaded/)
    expect(stdout).not.toContain('done')
    expect(stdout).toMatch(
      /\n\nThe API is failing for everyone here, [^\n]*: 1 session waits, [^\n]*\n {2}next: lastgood resume waits --store state\n$/,
    )
  })

  it('--json is one document with the same', async () => {
    const { cwd, store } = project()
    const { url } = await startStatusPage([incident])
    await outage(store)
    const { code, stdout } = await status(cwd, ['--json'], { LASTGOOD_STATUS_URL: url })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      schema: 'lastgood.status/v1',
      store: `file:${cwd}/state`,
      source: '--store',
      at: expect.any(String),
      providers: [
        {
          ...key,
          breaker: 'open',
          down: true,
          cause: 'overloaded',
          downSince: expect.any(String),
          nextProbeAt: expect.any(String),
          heldUntil: null,
          last10Min: { answered: 0, failed: 5 },
          lastHour: { answered: 0, failed: 5 },
          lastFault: { kind: 'overloaded', at: expect.any(String) },
        },
      ],
      statusPage: {
        says: 'incident',
        indicator: 'major',
        description: 'Partial System Outage',
        api: 'partial_outage',
        incidents: [{ ...incident, status: 'investigating', startedAt: expect.any(String), concernsApi: true }],
        checkedAt: expect.any(String),
        ageMs: expect.any(Number),
        source: url,
        failure: null,
      },
      open: [expect.objectContaining({ sessionId: 'waits', status: 'waiting', dueAt: expect.any(String) })],
      verdict: {
        kind: 'outage',
        text: expect.stringContaining('1 session waits'),
        command: 'lastgood resume waits --store state',
      },
    })
  })

  it('of a session that needs a person ends with the command that answers', async () => {
    const { cwd, store } = project()
    const deploy = answered('', { id: 't', name: 'run', input: { command: 'deploy' } })
    const parked = { type: 'session-suspended', reason: 'needs-input', detail: 'was it deployed?' } as const
    await seed(store, 'asks', [started(1), sent(), deploy, parked])
    const { code, stdout } = await status(cwd, ['--no-page'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/needs-input +asks /)
    expect(stdout.endsWith('  next: lastgood resume asks --store state --in-doubt report\n')).toBe(true)
  })

  it('of an empty store knows nothing, and says so', async () => {
    const { code, stdout } = await status(newFolder(), ['--no-page'])
    const text = 'No request was answered here in the last hour, so whether the API answers is unknown'
    expect({ code, stdout }).toEqual({ code: 0, stdout: `status page  not asked (--no-page)\n\n${text}\n` })
  })

  it('tells why a page is unknown, and keeps its exit code', async () => {
    const { url, host } = await startStatusPage(405)
    const { code, stdout } = await status(newFolder(), [], { LASTGOOD_STATUS_URL: url })
    expect(code).toBe(0)
    expect(stdout).toContain(`status page  unknown (last try: ${host}: HTTP 405 `)
  })

  it('asks the page once for all who want to know', async () => {
    const { cwd } = project()
    const page = await startStatusPage([])
    for (const _ of [1, 2]) {
      const { stdout } = await status(cwd, [], { LASTGOOD_STATUS_URL: page.url })
      expect(stdout).toContain('status page  API operational (may lag by ~10 min; ')
    }
    expect(page.asked()).toBe(1)
  })
})

describe('whether the page is asked: the flag, then LASTGOOD_STATUS_URL, then the configuration', () => {
  const configured = (text: string) => {
    const cwd = newFolder()
    writeFileSync(join(cwd, 'lastgood.config.mjs'), `export default { agents: {}, statusPage: ${text} }`)
    return cwd
  }

  it.each<[string, string, readonly string[], (mine: string) => string, string]>([
    ['the configuration', '{ urls: [URL] }', [], () => '', 'configured'],
    ['LASTGOOD_STATUS_URL before it', '{ urls: [URL] }', [], (mine) => mine, 'mine'],
    ['LASTGOOD_STATUS_URL=off', '{ urls: [URL] }', [], () => 'off', 'not asked (LASTGOOD_STATUS_URL)'],
    ['--no-page before all', '{ urls: [URL] }', ['--no-page'], (mine) => mine, 'not asked (--no-page)'],
    ['statusPage: false', 'false', [], () => '', 'not asked (the configuration file)'],
  ])('%s', async (_case, config, flags, env, expected) => {
    const [mine, theirs] = [await startStatusPage([]), await startStatusPage([])]
    const cwd = configured(config.replace('URL', JSON.stringify(theirs.url)))
    const { stdout } = await status(cwd, flags, { LASTGOOD_STATUS_URL: env(mine.url) })
    const asked = mine.asked() ? 'mine' : theirs.asked() ? 'configured' : /status page {2}(.*)/.exec(stdout)?.[1]
    expect(asked).toBe(expected)
  })

  it('a configuration that cannot be loaded may say no, so nobody asks', async () => {
    const { code, stdout } = await status(configured('{'), [], { LASTGOOD_STATUS_URL: '' })
    expect(code).toBe(0)
    expect(stdout).toContain('status page  not asked (the configuration file could not be loaded)')
  })

  it('LASTGOOD_STATUS_URL that is no address is wrong usage', async () => {
    const { code, stderr } = await status(newFolder(), [], { LASTGOOD_STATUS_URL: 'yes' })
    expect(code).toBe(2)
    expect(stderr).toContain('LASTGOOD_STATUS_URL=off')
  })
})
