import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { EntryBody, Store } from '@lastgood/core'
import { encrypted } from '@lastgood/core/at-rest'
import { ManualClock } from '@lastgood/core/testing'
import { answered, ended, overloaded, project, run, seed, sent, started } from '../../test/context.ts'

const secret = `the whole file ${'x'.repeat(400)} its end`
const call = { id: 't1', name: 'run', input: { cmd: 'npm test' } }
const result: EntryBody = {
  type: 'tool-finished',
  toolUseId: 't1',
  result: { type: 'tool_result', tool_use_id: 't1', content: secret },
  outcome: 'ran',
}
const history = (now: number): EntryBody[] => [
  started(1),
  sent(),
  answered('Looking.', call),
  { type: 'tool-started', toolUseId: 't1', name: 'run', inDoubt: 'report' },
  result,
  sent(),
  overloaded(2_000, now),
  sent(2),
  answered('Green.'),
  ended(1),
  started(2, 'Now the docs'),
  sent(),
]

/** At one instant, so that what it says of waits does not depend on this machine. */
async function seedHistory(store: Store): Promise<void> {
  const now = Date.now()
  await seed(store, 'fix-auth', history(now), false, new ManualClock({ startAt: now }))
}

async function shown(...flags: string[]) {
  const { cwd, store } = project()
  await seedHistory(store)
  return { cwd, ...(await run(['show', 'last', '--store', 'state', ...flags], { cwd })) }
}

describe('show', () => {
  it('shows the results that a loop of one’s own brings in a message, and no message that has nothing else', async () => {
    const { cwd, store } = project()
    const call = (id: string) => ({ id, name: 'deploy', input: { to: id } })
    const result = (tool_use_id: string, is_error?: true) => ({
      type: 'tool_result',
      tool_use_id,
      content: 'x',
      is_error,
    })
    await seed(store, 's', [
      started(1),
      sent(),
      answered('Deploying.', call('t1'), call('t2')),
      { type: 'turn-continued', messages: [{ role: 'user', content: [result('t1'), result('t2', true)] }] },
      sent(),
      answered('Again.', call('t3')),
      { type: 'turn-continued', messages: [{ role: 'user', content: [result('t3'), { type: 'text', text: 'Stop' }] }] },
    ])
    const { stdout } = await run(['show', 's', '--store', 'state'], { cwd })
    expect(stdout).toMatch(/✔ deploy t1[^]*✖ deploy t2[^]*✔ deploy t3[^]*\+ 1 message from the caller/)
    expect(stdout).not.toContain('no result')
    expect(stdout.match(/from the caller/g)).toHaveLength(1)
  })

  it('tells of the steps of a loop of one’s own, and which of them has no result', async () => {
    const { cwd, store } = project()
    const step = (stepId: string) => ({ type: 'step-started', stepId, name: 'deploy', inDoubt: 'report' }) as const
    await seed(store, 'release', [
      step('key:build'),
      { type: 'step-finished', stepId: 'key:build', outcome: 'ran', value: secret },
      started(1),
      step('key:deploy'),
      step('key:announce'),
      { type: 'step-finished', stepId: 'key:announce', outcome: 'in-doubt' },
    ])
    const { stdout } = await run(['show', 'release', '--store', 'state'], { cwd })
    expect(stdout).toMatch(/◇ step key:build ran/)
    expect(stdout).toMatch(/turn 1 open[^]*◇ step key:deploy started, no result[^]*◇ step key:announce in-doubt/)
    expect(stdout).not.toContain('whole file')
  })

  it('tells turn by turn what was asked, answered, run, what failed and what was done about it', async () => {
    const { cwd, code, stdout, stderr } = await shown()
    expect(code).toBe(0)
    const lines = [
      /session {2}fix-auth · agent coder/,
      /state {4}interrupted · saved at turn 1/,
      new RegExp(`store {4}file:${cwd}/state`),
      new RegExp(`journal {2}${cwd}/state/sessions/fix-auth.jsonl, 13 entries`),
      /total {4}4 requests · 1 fault · 1 tool call · 2\.0k tokens in \(90 % from cache\), 100 out/,
      /turn 1 ended .*3 requests · 1 fault · 1 tool call/,
      / {2}> Make it green/,
      / {2}◆ Looking\./,
      / {2}✔ run npm test/,
      / {2}↻ 529 overloaded_error at attempt 1 → retry 2s: Overloaded/,
      / {2}◆ Green\./,
      /turn 2 open .*1 request/,
      / {2}> Now the docs/,
    ]
    for (const line of lines) expect(stdout).toMatch(line)
    expect(stdout).not.toContain('its end')
    expect(stderr).toBe(
      `note: recorded in /projects/there, but this is ${cwd}\ncontinue with\nlastgood resume fix-auth --store state\n`,
    )
  })

  it('does not take a session that is encrypted for an empty one, and says what is missing', async () => {
    const { cwd, store } = project()
    await seedHistory(encrypted(store, { current: { id: '2026-11', key: new Uint8Array(32).fill(1) } }))
    const { code, stdout, stderr } = await run(['show', 'fix-auth', '--store', 'state'], { cwd })
    expect(code).toBe(4)
    expect(stderr).toMatch(/error: entry 1 is encrypted with the key "2026-11"[^]*\/errors\/journal-sealed\.md/)
    expect(stdout + stderr).not.toContain('continue with')
    expect((await run(['list', '--store', 'state'], { cwd })).stdout).toContain('fix-auth')
  })

  it('can be held to one turn', async () => {
    const { stdout } = await shown('--turn', '2')
    expect(stdout).toContain('Now the docs')
    expect(stdout).not.toContain('Make it green')
  })

  it('of a turn that there is not says which there are', async () => {
    const { code, stderr } = await shown('--turn', '7')
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no turn 7\n {2}next: turns: 1, 2/),
    })
  })

  it('--entries has one line for each entry and no content', async () => {
    const { stdout } = await shown('--entries')
    expect(stdout.trim().split('\n')).toHaveLength(13)
    expect(stdout).toMatch(/ 8 {2}\S+Z {2}fault-observed .*"status":529.* decision=retry nextAt=\S+ waitMs=\d+/)
    expect(stdout).not.toMatch(/Make it green|npm test|the whole file/)
    const { stdout: json } = await shown('--entries', '--json')
    expect(JSON.parse(json.split('\n')[0] ?? '')).toMatchObject({
      schema: 'lastgood.entry/v1',
      seq: 1,
      type: 'session-opened',
    })
  })

  it('--raw has the entries with all content, as they are', async () => {
    const { stdout } = await shown('--raw')
    const entries = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(entries).toHaveLength(13)
    expect(entries[5]).toMatchObject(result)
  })

  it('--raw has also what is kept beside the journal; where that is lost, the entry that names it', async () => {
    const { cwd, store } = project()
    const long = 'x'.repeat(100_000)
    await seed(store, 'long', [started(1, long)])
    const { stdout } = await run(['show', 'long', '--raw', '--store', 'state'], { cwd })
    expect(stdout).toContain(long)
    rmSync(join(cwd, 'state/sessions/long.blobs'), { recursive: true })
    const damaged = await run(['show', 'long', '--raw', '--store', 'state'], { cwd })
    expect(damaged.code).toBe(0)
    expect(damaged.stdout).toContain('"type":"kept-apart"')
  })

  it('--json is the report as one document', async () => {
    const { cwd, stdout } = await shown('--json')
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'lastgood.session-report/v1',
      store: `file:${cwd}/state`,
      journal: `${cwd}/state/sessions/fix-auth.jsonl`,
      session: { sessionId: 'fix-auth', lastGoodTurn: 1, command: 'lastgood resume fix-auth --store state' },
      turns: [
        {
          turn: 1,
          state: 'ended',
          agent: 'coder',
          requests: 3,
          faults: 1,
          tools: 1,
          tokens: { input: 2000, cacheRead: 1800, output: 100 },
          steps: [
            { kind: 'answer', text: 'Looking.' },
            { kind: 'tool', name: 'run', outcome: 'ok' },
            { kind: 'fault', fault: '529 overloaded_error', decision: 'retry' },
            { kind: 'answer', attempt: 2 },
          ],
        },
        { turn: 2, state: 'open' },
      ],
    })
  })

  it('marks what was rewound, and shows resumes, stops and what is in doubt', async () => {
    const { cwd, store } = project()
    await seed(store, 's', [
      started(1),
      sent(),
      answered('Yes.'),
      ended(1),
      started(2),
      sent(),
      answered('Deploying.', { ...call, name: 'deploy' }),
      { type: 'tool-started', toolUseId: 't1', name: 'deploy', inDoubt: 'ask' },
      { type: 'session-suspended', reason: 'needs-input', detail: 'tool deploy was started' },
    ])
    await seed(store, 's', [
      { type: 'rewound', messages: 2, turn: 1, lastGoodTurn: 1, reason: 'other words' },
      started(2, 'Better'),
    ])
    const { stdout } = await run(['show', 's', '--store', 'state'], { cwd })
    expect(stdout).toMatch(/turn 2 rewound/)
    expect(stdout).toMatch(/… no result: deploy/)
    expect(stdout).toMatch(/‖ suspended \(needs-input\): tool deploy was started/)
    expect(stdout).toMatch(/▸ resumed by pid 1 on gone\.test/)
    expect(stdout).toMatch(/↶ went back to turn 1: other words/)
    expect(stdout).toMatch(/turn 2 open[^]*> Better/)
  })

  it("a turn's title is what a person said, without what a client put around it", async () => {
    const { cwd, store } = project()
    const content = [
      { type: 'text', text: '<system-reminder>\nAttribution for git commits\n</system-reminder>' },
      { type: 'text', text: 'Make it green' },
    ]
    await seed(store, 's', [{ type: 'turn-started', turn: 1, messages: [{ role: 'user', content }] }, sent()])
    expect((await run(['show', 's', '--store', 'state'], { cwd })).stdout).toContain('\n  > Make it green\n')
  })

  it("a turn's title is of the turn, where a client brings a conversation from before", async () => {
    const { cwd, store } = project()
    const before = [
      { role: 'user', content: 'Look at it' },
      { role: 'assistant', content: [{ type: 'text', text: 'Looked.' }] },
    ]
    const messages = [...before, { role: 'user', content: 'Make it green' }]
    await seed(store, 's', [{ type: 'turn-started', turn: 1, messages }, sent()])
    const { stdout } = await run(['show', 's', '--store', 'state'], { cwd })
    expect(stdout).toContain('\n  > Make it green\n')
    expect(stdout).not.toContain('Look at it')
  })

  it('a request that changed what was said last went back inside its turn, not to the one before', async () => {
    const { cwd, store } = project()
    const reason = 'the caller went on from an earlier message'
    await seed(store, 's', [
      started(1),
      sent(),
      answered('Looking.', { ...call }),
      { type: 'rewound', messages: 1, turn: 1, lastGoodTurn: 0, reason },
      { type: 'turn-continued', messages: [{ role: 'user', content: 'Otherwise' }] },
      sent(),
    ])
    const { stdout } = await run(['show', 's', '--store', 'state'], { cwd })
    expect(stdout).toContain(`↶ went back inside turn 1: ${reason}\n`)
  })

  it("a turn's title is what was answered, where a request said it otherwise before that", async () => {
    const { cwd, store } = project()
    const reason = 'the caller went on from an earlier message'
    await seed(store, 's', [
      started(1, 'Start 1: make it green'),
      sent(),
      { type: 'rewound', messages: 0, turn: 1, lastGoodTurn: 0, reason },
      { type: 'turn-continued', messages: [{ role: 'user', content: 'Start 2: make it green' }] },
      sent(),
      answered('Looking.', { ...call }),
      result,
      { type: 'turn-continued', messages: [{ role: 'user', content: 'And be quick' }] },
    ])
    const { stdout } = await run(['show', 's', '--store', 'state'], { cwd })
    expect(stdout).toContain('\n  > Start 2: make it green\n')
    expect(stdout).not.toContain('Start 1')
  })

  it('a call that ran again is there twice: without a result, and again after the resume', async () => {
    const { cwd, store } = project()
    const begun = { type: 'tool-started', toolUseId: 't1', name: 'deploy', inDoubt: 'ask' } as const
    await seed(store, 's', [started(1), sent(), answered('Deploying.', { ...call, name: 'deploy' }), begun])
    await seed(store, 's', [begun, result])
    const { stdout } = await run(['show', 's', '--store', 'state'], { cwd })
    expect(stdout).toMatch(/… no result: deploy[^\n]*\n {2}▸ resumed by [^]*✔ deploy [^\n]* ran again, same key/)
    expect(stdout).toContain('1 tool call')
    const json = JSON.parse((await run(['show', 's', '--store', 'state', '--json'], { cwd })).stdout) as object
    const steps = [
      { kind: 'answer' },
      { kind: 'tool', outcome: 'none' },
      { kind: 'resumed' },
      { kind: 'tool', outcome: 'ok', again: true },
    ]
    expect(json).toMatchObject({ turns: [{ steps }] })
  })

  it('says what was mended before it names the rules, so that a narrow screen shows it', async () => {
    const { cwd, store } = project()
    const rule = `remove-images:messages.4.content.0.${'tool_result.content.0.'.repeat(4)}image`
    const repairs = [
      { rule, what: 'left out 1 image' },
      { rule: 'results', what: 'added 2 results' },
    ]
    await seed(store, 's', [started(1), { type: 'transcript-repaired', repairs, edits: [], standing: [] }])
    const { stdout } = await run(['show', 's', '--store', 'state'], { cwd })
    expect(stdout).toMatch(/ {2}✚ request repaired: left out 1 image; added 2 results \(remove-images:.*…\n/)
    const { stdout: json } = await run(['show', 's', '--store', 'state', '--json'], { cwd })
    expect(JSON.parse(json)).toMatchObject({ turns: [{ steps: [{ kind: 'repaired', repairs }] }] })
  })

  it('shows hostile content as text', async () => {
    const { cwd, store } = project()
    await seed(store, 's', [
      started(1, '\u001b[2J\u001b]0;owned\u0007\u202e'),
      sent(),
      answered('\u009b31m\r\u001bc', { ...call, name: '\u001b[1A' }),
    ])
    for (const flags of [[], ['--entries'], ['--raw'], ['--json']]) {
      const { stdout } = await run(['show', 's', '--store', 'state', ...flags], { cwd })
      // oxlint-disable-next-line no-control-regex
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    }
  })
})

describe('a journal that cannot be read is exit code 6', () => {
  it('damaged in the middle: the part before it is shown, the place is named', async () => {
    const { cwd, store } = project()
    for (const bodies of [[started(1), sent()], [answered('Yes.'), ended(1)], [started(2)]])
      await seed(store, 's', bodies)
    const file = join(cwd, 'state', 'sessions', 's.jsonl')
    const lines = readFileSync(file, 'utf8').split('\n')
    const at = lines.findIndex((line) => line.includes('"turn-ended"'))
    lines[at] = (lines[at] ?? '').replace('turn-ended', 'turn-bended')
    writeFileSync(file, lines.join('\n'))
    for (const argv of [
      ['show', 's', '--store', 'state'],
      ['resume', 's', '--store', 'state', 'more'],
    ]) {
      const { code, stderr } = await run(argv, { cwd })
      expect(code).toBe(6)
      expect(stderr).toContain(`${file} line ${at + 1}`)
    }
    const shown = await run(['show', 's', '--store', 'state'], { cwd })
    expect(shown.stdout).toContain('> Make it green')
    expect(shown.stderr).toContain(
      'next: restore the session from a copy to continue; if there is none, this gives the session up: lastgood prune --damaged s --store state\n',
    )
  })

  it('damaged from the beginning: the failure alone, and no sum of nothing', async () => {
    const { cwd, store } = project()
    await seed(store, 's', [started(1), sent()])
    const file = join(cwd, 'state', 'sessions', 's.jsonl')
    writeFileSync(file, readFileSync(file, 'utf8').replace('session-opened', 'session-opaned'))
    const { code, stdout, stderr } = await run(['show', 's', '--store', 'state'], { cwd })
    expect({ code, stdout }).toEqual({ code: 6, stdout: '' })
    expect(stderr).toMatch(/^error: \S+s\.jsonl line \d+ is damaged/)
  })

  it('written by a newer lastgood: says which version is needed', async () => {
    const { cwd, store } = project()
    await seed(store, 's', [started(1)])
    const href = import.meta.resolve('@lastgood/core/file')
    const core = import.meta.resolve('@lastgood/core')
    writeFileSync(
      join(cwd, 'lastgood.config.mjs'),
      `import { fileStore } from ${JSON.stringify(href)}
       import { parseEntry } from ${JSON.stringify(core)}
       const store = fileStore({ dir: ${JSON.stringify(join(cwd, 'state'))} })
       export default { agents: {}, store: { ...store, async *read() { yield parseEntry({ v: 9, type: 'dreamt' }, 's.jsonl line 1') } } }`,
    )
    const { code, stderr } = await run(['show', 's'], { cwd })
    expect(code).toBe(6)
    expect(stderr).toMatch(/written by a newer lastgood[^]*next: update lastgood/)
  })
})
