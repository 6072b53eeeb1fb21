/** The small edition of `pnpm bench store`: what it measures is there, and what does not depend on the machine holds. */
import { stat } from 'node:fs/promises'
import { fileStore } from '@lastgood/core/file'
import { expect, test } from 'vitest'
import { newFolder } from '../support/folder.ts'
import { measureAtOnce, measureCheckpoints, measureProcessor } from './store/checkpoints.ts'
import { fileMedium, roles } from './store/contenders.ts'
import { goalsOf } from './store/goals.ts'
import { measureGrowth, writeSession } from './store/growth.ts'
import { contentBytes, usualHead } from './store/workload.ts'

async function medium() {
  const dir = newFolder()
  const store = fileStore({ dir })
  const bytesIn = async (id: string) => (await stat(store.journalAt(id))).size
  return { file: fileMedium(dir, store, await usualHead()), store, bytesIn }
}

test('what is stored is at most 1.15 times what is new, and does not grow with the session (P7)', async () => {
  const { file, bytesIn } = await medium()
  const short = await writeSession(file, 'record', 'short', 10, bytesIn)
  const long = await writeSession(file, 'record', 'long', 100, bytesIn)
  expect(long.stored / long.content).toBeLessThan(1.15)
  expect(long.stored / 100).toBeLessThan((short.stored / 10) * 1.01)
})

test('each contender is measured, and its checkpoints are in its store', async () => {
  const { file, store } = await medium()
  const { times } = await measureCheckpoints(file, 6)
  for (const role of roles) expect(times[role].p50).toBeGreaterThan(0)
  const { cpu } = await measureProcessor(file, 6, 2)
  for (const role of roles) expect(cpu[role]).toBeGreaterThan(0)
  const { stepsPerSecond } = await measureAtOnce(file, 3, 2, 1)
  for (const role of roles) expect(stepsPerSecond[role]).toBeGreaterThan(0)
  const { places } = await measureGrowth(file, 'append', [20, 40], 24)
  expect(places.map(({ step }) => step)).toEqual([10, 20, 40])
  const seqOf = async (id: string) => (await store.summary(id))?.head.seq
  expect(await seqOf('checkpoints-append')).toBe(4 * 8)
  expect(await seqOf('at-once-3-record-2')).toBe(3 + 4 * 4)
})

test('a step has the size that the goals speak of', () => {
  expect(contentBytes(1)).toBeGreaterThan(7_300)
  expect(contentBytes(1)).toBeLessThan(7_700)
  expect(contentBytes(1, 'small')).toBeLessThan(400)
})

test('a goal is met or not by its own floor', () => {
  const spread = (p50: number, p99: number) => ({ p50, p95: p99, p99 })
  const times = { floor: spread(1, 2), append: spread(1.1, 4), record: spread(1.2, 3) }
  const goals = goalsOf({
    checkpoints: [{ medium: 'redis', times }],
    processor: [],
    growth: [],
    stored: [],
    shrunk: [],
    opening: [],
    beside: [],
    atOnce: [],
  })
  expect(goals.map(({ name, met }) => [name, met])).toEqual([
    ['redis: append p50', true],
    ['redis: append p99', false],
    ['redis: record p50', false],
    ['redis: record p99', true],
  ])
})
