/** The small edition of `pnpm bench gateway`: what it measures is there, and is what it says. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileStore } from '@lastgood/core/file'
import { expect, onTestFinished, test } from 'vitest'
import { newFolder } from '../support/folder.ts'
import { delaysIn } from './gateway/ask.ts'
import { startContender, type ContenderName } from './gateway/contenders.ts'
import { measureEvents } from './gateway/events.ts'
import { measureFirstByte } from './gateway/first-byte.ts'
import { goalsOf } from './gateway/goals.ts'
import { startLab } from './gateway/lab.ts'
import { measureMemory } from './gateway/memory.ts'
import { measureRates } from './gateway/rates.ts'
import { Talk } from './gateway/talk.ts'

async function setUp(...names: ContenderName[]) {
  const root = process.cwd()
  const dir = newFolder(join(root, 'node_modules/.cache'))
  const lab = await startLab()
  onTestFinished(() => lab.stop())
  const contenders = []
  for (const name of names) {
    const contender = await startContender(name, { lab: lab.url, dir, root })
    onTestFinished(() => contender.stop())
    contenders.push(contender)
  }
  return { lab, contenders, dir }
}

test('each contender is measured in everything', async () => {
  const { lab, contenders } = await setUp('direct', 'bare proxy', 'lastgood, memory')
  const { of, bytes } = await measureFirstByte(contenders, lab, 10, 2)
  expect(of.map(({ name }) => name)).toEqual(['direct', 'bare proxy', 'lastgood, memory'])
  for (const { whole } of of) expect(whole.p50).toBeGreaterThan(0)
  expect(bytes).toBeGreaterThan(60_000)
  const events = await measureEvents(contenders, lab, { rounds: 1, slow: 5, fast: 20 })
  for (const { added, perSecond } of events) expect([added.p95, perSecond].every(Number.isFinite)).toBe(true)
  for (const { requests, streams } of await measureRates(contenders, lab, 1, 50)) {
    expect(Math.min(requests.perSecond, streams.perSecond)).toBeGreaterThan(0)
  }
  for (const contender of contenders.slice(1)) {
    const { before, open, after } = await measureMemory(contender, lab, { streams: 3, messages: 1, settlingMs: 0 })
    expect(Math.min(before, open, after)).toBeGreaterThan(10)
  }
})

test('a conversation of the bench is one of the gateway, that goes on and never back', async () => {
  const { lab, contenders, dir } = await setUp('direct', 'lastgood, file')
  await measureFirstByte(contenders, lab, 50, 2)
  await contenders.at(-1)?.stop()
  const [home = ''] = await readdir(dir)
  const store = fileStore({ dir: join(dir, home, 'state') })
  onTestFinished(() => store.close())
  const types = new Map<string, string[]>()
  for await (const { head } of store.list()) {
    const of: string[] = []
    for await (const entry of store.read(head.sessionId)) of.push(entry.type)
    types.set(head.sessionId, of)
  }
  expect([...types.keys()].every((id) => /^first-50-\d-lastgood-file$/.test(id))).toBe(true)
  const all = [...types.values()].flat()
  expect(all.filter((type) => type === 'response-received')).toHaveLength(5 + types.size)
  expect(all).not.toContain('rewound')
})

test('a request of the bench is one of a coding agent: it repeats itself, and marks its end', () => {
  const talk = new Talk('s', 199)
  const [short, before] = [new Talk('s', 9).body(true).length, talk.body(true).toString()]
  expect((before.length - short) / 95).toBeGreaterThan(7_300)
  expect((before.length - short) / 95).toBeLessThan(7_700)
  talk.take(JSON.stringify({ content: [{ type: 'text', text: 'Done.' }] }))
  const after = JSON.parse(talk.body(true).toString()) as { messages: object[] }
  expect(talk.length).toBe(201)
  expect(after.messages).toHaveLength(201)
  expect(after.messages.slice(0, 198)).toEqual((JSON.parse(before) as typeof after).messages.slice(0, 198))
  expect(after.messages.filter((one) => JSON.stringify(one).includes('cache_control'))).toEqual([after.messages.at(-1)])
})

test('the way of an event is the time until its piece came', () => {
  const pieces = [
    { at: 5, upTo: 4 },
    { at: 9, upTo: 20 },
  ]
  expect(delaysIn({ text: 'xx @2000000 @4000000 ', pieces: [...pieces, { at: 11, upTo: 99 }] })).toEqual([7, 7])
})

test('a goal is met or not by the other gateway of the same run, and is none without it', () => {
  const [low, high] = [1, 2].map((value) => ({ p50: value, p95: value * 2, p99: value * 2 }))
  const row = (name: ContenderName, added = low!) => ({ name, whole: added, added, cpu: undefined })
  const results = (...of: ReturnType<typeof row>[]) =>
    goalsOf({ firstByte: [{ messages: 200, bytes: 1, rounds: 1, of }], events: [], rates: [], memory: [] })
  const met = (goals: ReturnType<typeof goalsOf>) => goals.map(({ met: is }) => is)
  expect(met(results(row('lastgood, file'), row('claude-code-router', high)))).toEqual([true, true, true])
  expect(met(results(row('lastgood, file', high), row('claude-code-router')))).toEqual([false, false, false])
  expect(met(results(row('lastgood, file')))).toEqual([true])
})
