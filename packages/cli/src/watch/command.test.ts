import { openSession, type EntryBody } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { expect, onTestFinished, test } from 'vitest'
import { newFolder, run } from '../../test/context.ts'

const message = (text: string) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant' as const,
  model: 'claude-opus-5-5',
  content: [{ type: 'text', text }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 5, output_tokens: 1 },
})
const asked = (turn: number): EntryBody[] => [
  { type: 'turn-started', turn, messages: [{ role: 'user', content: `Question ${turn}` }] },
  { type: 'request-sent', model: 'claude-opus-5-5', attempt: 1 },
]
const answered = (turn: number): EntryBody[] => [
  { type: 'response-received', message: message(`Answer ${turn}`) },
  { type: 'turn-ended', turn },
]
const failed: EntryBody = {
  type: 'fault-observed',
  fault: { kind: 'overloaded', status: 529 },
  decision: { kind: 'retry', at: Date.now() + 60_000 },
}

async function stage() {
  const cwd = newFolder()
  const place = ['--store', `file:${cwd}/state`]
  const store = fileStore({ dir: `${cwd}/state` })
  const open = async (id: string) => {
    const session = await openSession(id, { store })
    onTestFinished(() => session.close())
    return session
  }
  return { open, watch: (...argv: string[]) => run(['watch', ...argv, ...place], { cwd }) }
}

test('a session is followed from where it is, until Ctrl+C', async () => {
  const { open, watch } = await stage()
  const session = await open('ses')
  await session.record([...asked(1), ...answered(1)])
  const watching = watch('ses')
  await expect.poll(() => watching.stderr.text).toContain('store ')
  await session.record([...asked(2), failed])
  await expect.poll(() => watching.stdout.text).toMatch(/turn 2\n◐ .*529 overloaded.*saved at turn 1/)
  await session.record([{ type: 'request-sent', model: 'claude-opus-5-5', attempt: 2 }, ...answered(2)])
  await expect.poll(() => watching.stdout.text).toMatch(/Answer 2\n✔ recovered .*\n✔ turn 2 is saved/)
  watching.stop('SIGINT')
  const { code, stdout } = await watching
  expect(code).toBe(0)
  expect(stdout).not.toMatch(/^turn 1$/m)
})

test('what went back is told with its place: to the end of a turn, or inside one', async () => {
  const { open, watch } = await stage()
  const session = await open('ses')
  await session.record([...asked(1), ...answered(1), ...asked(2), ...answered(2)])
  const watching = watch('ses')
  await expect.poll(() => watching.stderr.text).toContain('store ')
  const back = { type: 'rewound', messages: 2, turn: 1, lastGoodTurn: 1, reason: 'otherwise' } as const
  await session.record([back, ...asked(2), { ...back, turn: 2 }])
  await expect.poll(() => watching.stdout.text).toMatch(/back to turn 1: otherwise[^]*back inside turn 2: otherwise/)
  watching.stop('SIGINT')
  await watching
})

test('of all sessions each change is a line, also of one that comes', async () => {
  const { open, watch } = await stage()
  const first = await open('first')
  await first.record(asked(1))
  const watching = watch()
  await expect.poll(() => watching.stderr.text).toContain('store ')
  await first.record([failed])
  await expect.poll(() => watching.stdout.text).toMatch(/ {2}first {2}529 overloaded: next try /)
  const second = await open('second')
  await second.record([...asked(1), ...answered(1)])
  await expect.poll(() => watching.stdout.text).toMatch(/ {2}second {2}turn 1\n.* {2}second {2}turn 1 is saved\n$/)
  watching.stop('SIGTERM')
  expect((await watching).stderr).toContain('1 answer in 2 sessions; 1 fault')
})

test('as JSON lines the entries have no content', async () => {
  const { open, watch } = await stage()
  const session = await open('ses')
  const watching = watch('--jsonl')
  await expect.poll(() => watching.stderr.text).toContain('store ')
  await session.record([...asked(1), ...answered(1)])
  await expect.poll(() => watching.stdout.text).toContain('turn-ended')
  watching.stop('SIGINT')
  const { stdout } = await watching
  const events = stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(events.at(-1)).toMatchObject({ schema: 'lastgood.event/v1', sessionId: 'ses', event: 'turn-ended', turn: 1 })
  expect(stdout).not.toMatch(/Question|Answer/)
})

test('one that is not there is told', async () => {
  const { watch } = await stage()
  const { code, stderr } = await watch('no-such-session')
  expect(code).toBe(3)
  expect(stderr).toContain('no session no-such-session')
})
