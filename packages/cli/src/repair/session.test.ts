import Anthropic from '@anthropic-ai/sdk'
import { recoverable } from '@lastgood/anthropic'
import { openSession, type Entry, type EntryBody, type Message, type Store } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { reply, startLab, text } from '@lastgood/outage-lab'
import { describe, expect, it, onTestFinished } from 'vitest'
import { answered, ended, project, run, seed, sent, started } from '../../test/context.ts'

const model = 'claude-opus-5-5'
const said = (turn: number, ...messages: Message[]): EntryBody => ({
  type: 'turn-started',
  turn,
  agent: 'coder',
  messages,
})
const pinned: EntryBody = { type: 'envelope-changed', envelope: { body: { model, max_tokens: 100 }, betas: [] } }
const user = (content: Message['content']): Message => ({ role: 'user', content })
/** A person brought an empty text and a call that nobody answered. */
const brought = [
  user([
    { type: 'text', text: 'Go on' },
    { type: 'text', text: ' ' },
  ]),
  { role: 'assistant', content: [{ type: 'tool_use', id: 'call_1', name: 'run', input: { command: 'ls' } }] },
  user('And?'),
]
const broken = [
  pinned,
  said(1, user('Hi')),
  sent(),
  answered('Hello.'),
  ended(1),
  said(2, ...brought),
  sent(),
  answered('Yes.'),
  ended(2),
]

async function there(bodies: readonly EntryBody[] = broken) {
  const { cwd, store } = project()
  await seed(store, 's', bodies)
  return { cwd, store, repair: (...flags: string[]) => run(['repair', 's', '--store', 'state', ...flags], { cwd }) }
}

async function all(store: Store): Promise<Entry[]> {
  const entries: Entry[] = []
  for await (const entry of store.read('s')) entries.push(entry)
  return entries
}

const entries = async (store: Store) => (await all(store)).map(({ type }) => type)

describe('repair of a session', () => {
  it('shows what its next request is mended in, by turn, and records nothing', async () => {
    const { store, repair } = await there()
    const before = await entries(store)
    const { code, stdout, stderr } = await repair()
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^turn 2\n {2}message 2 user\n {4}empty-text left out blank text\n {4}- text ""\n {2}message 4 user\n {4}results answered a call of unknown outcome\n {4}/,
    )
    expect(stdout).toContain('+ result of call_1: Interrupted: this tool call was started')
    expect(stderr).toMatch(
      /this is done when its next request is sent, and journaled[^]*\nlastgood resume s --store state\n$/,
    )
    expect(await entries(store)).toEqual(before)
  })

  it('is what the next request then does: the same repairs, journaled once the API has accepted them', async () => {
    const { cwd, store, repair } = await there()
    const shown = JSON.parse((await repair('--json')).stdout) as { changes: { rules: object[] }[]; whole: object[] }
    expect(shown).toMatchObject({
      schema: 'lastgood.repair/v1',
      sessionId: 's',
      applied: false,
      inForce: { edits: 0, rules: [], rungs: [] },
    })
    const lab = await startLab({ model: () => reply(text('Fine.')) })
    onTestFinished(() => lab.close())
    const session = await openSession('s', { store, cwd, clock: new ManualClock({ autoAdvance: true }) })
    const client = recoverable(new Anthropic({ baseURL: lab.url, apiKey: 'any' }), session)
    const messages = [...session.messages(), user('Go')] as Anthropic.MessageParam[]
    await client.messages.create({ model, max_tokens: 100, messages })
    await session.close()
    expect(lab.requests.map(({ violation }) => violation)).toEqual([undefined])
    const repaired = (await all(store)).find((entry) => entry.type === 'transcript-repaired')
    const told = [...shown.changes.flatMap(({ rules }) => rules), ...shown.whole]
    expect(repaired?.repairs.map(({ rule, what }) => ({ rule, what }))).toEqual(expect.arrayContaining(told))
    expect(told).toHaveLength(repaired?.repairs.length ?? 0)
    const after = await repair()
    expect(after).toMatchObject({ code: 0, stdout: '' })
    expect(after.stderr).toMatch(/in force 2 edits\n✔ nothing to repair\n--revert takes back what is in force\n/)
    expect(await repair('--revert', '--yes')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('✔ taken back'),
    })
    expect((await entries(store)).at(-1)).toBe('repairs-reverted')
    expect((await repair()).stdout).toContain('empty-text')
    expect((await repair('--revert', '--yes')).stderr).toContain('nothing to take back')
  })

  it('says what is repaired for another rung of the ladder alone, and takes that back too', async () => {
    const sonnet = 'claude-sonnet-5-5'
    const { store, repair } = await there([
      pinned,
      said(1, user('Hi')),
      { type: 'rung-changed', rung: 1, model: sonnet, reason: '529 overloaded' },
      {
        type: 'fault-observed',
        fault: { kind: 'params-incompatible', status: 400 },
        decision: { kind: 'repair', rule: 'drop-params:speed' },
      },
      answered('Hello.'),
      ended(1),
    ])
    expect((await repair()).stderr).toContain(`in force 0 edits, for ${sonnet} drop-params:speed\n`)
    expect(JSON.parse((await repair('--json')).stdout)).toMatchObject({
      inForce: { edits: 0, rules: [], rungs: [{ model: sonnet, rule: 'drop-params:speed' }] },
    })
    expect((await repair('--revert', '--yes')).stderr).toContain('✔ taken back')
    expect((await entries(store)).at(-1)).toBe('repairs-reverted')
    expect((await repair('--revert', '--yes')).stderr).toContain('nothing to take back')
  })

  it('--apply is for files: a repair is journaled when the API has accepted it, not before', async () => {
    const { store, repair } = await there()
    const before = await entries(store)
    expect(await repair('--apply', '--yes')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /is repaired when its next request is sent\n {2}next: continue it: lastgood resume s/,
      ),
    })
    expect(await entries(store)).toEqual(before)
  })

  it('that is sound, open or empty says so', async () => {
    const open = [pinned, started(1), sent(), answered('Look.', { id: 'a', name: 'run', input: {} })]
    for (const bodies of [[], open, broken.slice(0, 5)]) {
      const { repair } = await there(bodies)
      const { code, stdout, stderr } = await repair()
      expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
      expect(stderr).toMatch(/✔ nothing to repair\n$/)
    }
  })

  it('asks before it takes back, and not while a process is using it; a session that is not there is exit code 3', async () => {
    const { cwd, store } = project()
    const repaired: EntryBody = {
      type: 'transcript-repaired',
      repairs: [],
      edits: [],
      standing: ['drop-params:temperature'],
    }
    await seed(store, 's', [...broken, repaired], true)
    const repair = (...flags: string[]) => run(['repair', 's', '--store', 'state', ...flags], { cwd })
    expect(await repair('--revert', '--yes')).toMatchObject({ code: 5 })
    expect(await run(['repair', 'nobody', '--store', 'state'], { cwd })).toMatchObject({ code: 3 })
    expect(await repair('--revert', '--dry-run')).toMatchObject({ code: 2 })
  })
})
