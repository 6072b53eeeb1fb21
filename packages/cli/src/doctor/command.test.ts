import { chmodSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileStore } from '@lastgood/core/file'
import { ManualClock } from '@lastgood/core/testing'
import { describe, expect, it } from 'vitest'
import { answered, newFolder, overloaded, project, run, seed, sent, started } from '../../test/context.ts'
import { doctor, found, healthy, key, node, type Found } from './doctor.fixture.ts'

/** Every file below, with its content and its time. */
function snapshot(dir: string): Record<string, string> {
  const paths = readdirSync(dir, { recursive: true, encoding: 'utf8' }).map((name) => join(dir, name))
  const files = paths.filter((path) => statSync(path).isFile())
  return Object.fromEntries(files.map((path) => [path, `${statSync(path).mtimeMs} ${readFileSync(path, 'utf8')}`]))
}

describe('doctor', () => {
  it('says what is there; where nothing is wrong it says so, with exit code 0, and changes nothing', async () => {
    const { cwd } = await healthy()
    const before = snapshot(cwd)
    const { code, stdout, stderr } = await doctor(cwd)
    expect({ code, stderr }).toEqual({ code: 0, stderr: `store    file:${cwd}/state (--store)\n` })
    expect(stdout).toContain(`node     v22.20.0\nconfig   ${cwd}/lastgood.config.mjs (agents: coder)\n`)
    expect(stdout).toContain('api key  ANTHROPIC_API_KEY is set\nsessions 1, 0 of them to resume\n')
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^Nothing endangers what was recorded/)
    expect(snapshot(cwd)).toEqual(before)
  })

  it('never prints a key', async () => {
    const { cwd } = await healthy()
    for (const flags of [[], ['--json']]) {
      const { stdout, stderr } = await doctor(cwd, flags)
      expect(stdout + stderr).not.toContain('secret')
    }
  })

  it('a danger has a word, a shape, the risk and the command, and is exit code 1', async () => {
    const { cwd } = await healthy()
    const journal = join(cwd, 'state', 'sessions', 'done.jsonl')
    const bytes = readFileSync(journal)
    bytes[300] = (bytes[300] ?? 0) ^ 1
    writeFileSync(journal, bytes)
    const { code, stdout } = await doctor(cwd)
    expect(code).toBe(1)
    expect(stdout).toMatch(/\n✖ danger {2}\S+\/done\.jsonl line \d is damaged/)
    expect(stdout).toContain('\n          risk: session done cannot be continued (P1)\n')
    expect(stdout).toContain('\n          fix:  lastgood show done --store state shows the part before it; restore')
    expect(stdout).toMatch(/\n1 danger(, .*)?\n$/)
    const { findings } = await found(cwd)
    expect(findings.filter(({ severity }) => severity === 'danger')).toHaveLength(1)
  })

  it('--json is one document with the same', async () => {
    const { cwd } = await healthy()
    chmodSync(join(cwd, 'state', 'sessions'), 0o755)
    const { code, stdout } = await doctor(cwd, ['--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      schema: 'lastgood.doctor/v1',
      at: expect.any(String),
      store: `file:${cwd}/state`,
      source: '--store',
      node: 'v22.20.0',
      configuration: { path: join(cwd, 'lastgood.config.mjs'), agents: ['coder'] },
      apiKeySet: true,
      sessions: { total: 1, recoverable: 0, tried: 1 },
      findings: expect.arrayContaining([
        {
          about: 'store',
          severity: 'warning',
          what: expect.stringContaining('is open to other users of this machine (0755'),
          risk: 'they can see which sessions exist',
          mend: `chmod 700 ${join(cwd, 'state', 'sessions')}`,
        },
      ]),
      dangers: 0,
      warnings: expect.any(Number),
    })
  })

  it('the worst comes first, no line but a command is wider than the terminal, and text cannot command it', async () => {
    const { cwd, store } = await healthy()
    const parked = { type: 'session-suspended', reason: 'needs-input', detail: 'really\u001b[2J?' } as const
    await seed(store, 'asks', [started(1), sent(), answered('', { id: 't', name: 'run', input: {} }), parked])
    chmodSync(join(cwd, 'state', 'sessions'), 0o777)
    const running = doctor(cwd, [], {})
    running.stdout.columns = 80
    const { stdout } = await running
    const marks = [...stdout.matchAll(/^(✖ danger|▲ warning|· info)/gm)].map(([, mark]) => mark)
    expect(marks).toEqual(marks.toSorted((a, b) => '✖▲·'.indexOf(a![0]!) - '✖▲·'.indexOf(b![0]!)))
    expect(marks.length).toBeGreaterThanOrEqual(3)
    for (const line of stdout.split('\n')) {
      // Paths and commands stay whole, so that they can be copied.
      if (!/fix:  |\/\S{60,}|^config/.test(line)) expect(line.length).toBeLessThanOrEqual(80)
    }
    expect(stdout).not.toContain('\u001b')
    expect((await doctor(cwd, ['--color', 'always'])).stdout).toContain('\u001b[31m✖ danger')
  })
})

describe('what is wrong around it is a finding, and the rest is looked at all the same', () => {
  it.each([
    ['v18.20.0', 'danger', 'Node v18.20.0 is older than 20.19'],
    ['v20.18.3', 'danger', 'Node v20.18.3 is older than 20.19'],
    ['v20.19.0', 'info', 'Node v20.19.0 is past its end of life (2026-04-30)'],
  ])('Node %s', async (version, severity, what) => {
    const { cwd } = await healthy()
    const clock = new ManualClock({ startAt: Date.UTC(2026, 10, 1) })
    const ran = await run(['doctor', '--store', 'state', '--json'], {
      cwd,
      env: key,
      clock,
      node: { ...node, version },
    })
    const { findings } = JSON.parse(ran.stdout) as Found
    // Temporary folders may be in memory, and that is a finding, too.
    const [first] = findings.filter((one) => !/ is on (tmpfs|overlay)$/.test(one.what))
    expect(first).toMatchObject({ about: 'node', severity, what })
    expect(ran.code).toBe(severity === 'danger' ? 1 : 0)
  })

  it('a Node that is maintained is no finding', async () => {
    const { cwd } = await healthy()
    const clock = new ManualClock({ startAt: Date.UTC(2026, 3, 1) })
    for (const version of ['v20.19.0', 'v22.0.0', 'v24.1.0', 'v26.0.0']) {
      const ran = await run(['doctor', '--store', 'state', '--json'], {
        cwd,
        env: key,
        clock,
        node: { ...node, version },
      })
      expect((JSON.parse(ran.stdout) as Found).findings.filter(({ about }) => about === 'node')).toEqual([])
    }
  })

  it('a command can be copied: it keeps the spaces of the folders that it names', async () => {
    const { cwd } = project()
    const dir = join(cwd, 'a  b')
    await seed(fileStore({ dir }), 'cut', [started(1), sent()])
    chmodSync(join(dir, 'sessions'), 0o777)
    const { stdout } = await run(['doctor', '--store', 'a  b'], { cwd, env: key, node })
    expect(stdout).toContain(`fix:  chmod 700 '${dir}/sessions'\n`)
    expect(stdout).toContain("fix:  lastgood resume cut --store 'a  b'\n")
  })

  it('no configuration file and no key are notes', async () => {
    const { cwd } = project()
    expect(await found(cwd, [], {})).toEqual({
      code: 0,
      findings: [
        expect.objectContaining({
          about: 'configuration',
          severity: 'info',
          what: `there is no configuration file in ${cwd} or above`,
        }),
        expect.objectContaining({
          about: 'credentials',
          severity: 'info',
          mend: expect.stringContaining('export ANTHROPIC_API_KEY'),
        }),
      ],
    })
  })

  it('a configuration that cannot be loaded is a danger with the reason; a store that was named is still examined', async () => {
    const { cwd, store } = await healthy()
    await seed(store, 'waits', [started(1), sent(), overloaded(3_600_000, Date.now())])
    writeFileSync(join(cwd, 'lastgood.config.mjs'), 'export default {')
    const { code, findings } = await found(cwd)
    expect(code).toBe(1)
    expect(findings).toMatchObject([
      {
        about: 'configuration',
        severity: 'danger',
        what: expect.stringMatching(/could not be loaded: .*(Syntax|syntax)/),
      },
      { about: 'sessions', severity: 'warning' },
    ])
    // It may name the store, so nobody guesses.
    const { stdout } = await run(['doctor'], { cwd, env: key, node })
    expect(stdout).toContain('config   cannot be loaded')
    expect(stdout).toContain('sessions could not be read')
  })

  it('a store that cannot be reached, or is of an unknown kind, is a danger', async () => {
    const { cwd } = await healthy()
    for (const [address, what] of [
      ['redis://127.0.0.1:1', /^the store \(--store\) cannot be used: no connection to Redis/],
      ['mysql://host', /of an unknown kind: mysql/],
      ['file:/dev/null', /cannot be used: .*ENOTDIR/],
    ] as const) {
      const { code, findings } = await found(cwd, ['--store', address])
      expect(code).toBe(1)
      expect(findings[0]).toMatchObject({ about: 'store', severity: 'danger', what: expect.stringMatching(what) })
      expect(findings.filter(({ severity }) => severity === 'danger')).toHaveLength(1)
    }
  })

  it('sessions in memory are a danger', async () => {
    const cwd = newFolder()
    const core = import.meta.resolve('@lastgood/core')
    writeFileSync(
      join(cwd, 'lastgood.config.mjs'),
      `import { memoryStore } from '${core}'\nexport default { store: memoryStore, agents: {} }`,
    )
    const { code, stdout } = await run(['doctor', '--json'], { cwd, env: key, node })
    expect(code).toBe(1)
    expect((JSON.parse(stdout) as Found).findings[0]?.what).toBe('sessions are kept in the memory of this process')
  })
})
