/** A writer of blobs that stands still at any step while its session is removed and made anew by somebody else (P3). */
import type * as Files from 'node:fs/promises'
import { readdir } from 'node:fs/promises'
import { expect, test, vi } from 'vitest'
import { add, all, codeOf, place, taken } from './file.fixture.ts'

const [late, same, own] = ['a'.repeat(64), 'b'.repeat(64), 'c'.repeat(64)]

/** Called before each step of the file system that a writer of blobs takes. */
let onStep: () => Promise<void> = async () => {}

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof Files>()
  const stepped = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      if (args.some((one) => typeof one === 'string' && one.includes('.blobs'))) await onStep()
      return call(...args)
    }
  }
  return {
    ...real,
    open: stepped(real.open as (...args: unknown[]) => Promise<unknown>),
    opendir: stepped(real.opendir as (...args: unknown[]) => Promise<unknown>),
    mkdir: stepped(real.mkdir as (...args: unknown[]) => Promise<unknown>),
    rename: stepped(real.rename),
  }
})

/** Whether there was a step `stop`, at which the writer of `name` stood still. */
async function standStill(stop: number, name: string): Promise<boolean> {
  const { open, sessions } = await place()
  const store = open()
  const stale = await taken(store)
  await store.putBlob(stale, same, 'text')
  let step = 0
  onStep = async () => {
    if (step++ !== stop) return
    onStep = async () => {}
    const other = open()
    await other.remove('s', stale)
    const lease = await taken(other, 'bob')
    await other.putBlob(lease, same, 'text')
    await other.putBlob(lease, own, 'own')
    await add(other, lease, 0)
  }
  const outcome = await codeOf(store.putBlob(stale, name, 'text'))
  onStep = async () => {}
  if (step <= stop) {
    expect(outcome).toBe('ok')
    return false
  }
  const next = open()
  expect([stop, await next.readBlob('s', same), await next.readBlob('s', own)]).toEqual([stop, 'text', 'own'])
  expect(await all(next)).toHaveLength(1)
  // Once it has its name, it was acknowledged before the removal, or its session's folder is gone with it.
  expect([stop, outcome]).toEqual([stop, outcome === 'ok' ? 'ok' : 'lease-lost'])
  const names = (await readdir(sessions, { recursive: true })).filter((one) => /\.blobs|removed/.test(one)).sort()
  expect([stop, names]).toEqual([stop, ['s.blobs', `s.blobs/${same}`, `s.blobs/${own}`]])
  return true
}

test.each([
  ['of its own', late],
  ['that the next session has, too', same],
])('a late writer of a blob %s leaves the next session what it has, and adds nothing', async (_, name) => {
  let stop = 0
  while (await standStill(stop, name)) stop += 1
  expect(stop).toBeGreaterThan(3)
})

test('a late writer whose session is gone with its blobs is told that, at whichever step', async () => {
  for (let stop = 0; ; stop += 1) {
    const { open, sessions } = await place()
    const store = open()
    const stale = await taken(store)
    await add(store, stale, 0)
    let step = 0
    onStep = async () => {
      if (step++ !== stop) return
      onStep = async () => {}
      await open().remove('s', stale)
    }
    const outcome = await codeOf(store.putBlob(stale, late, 'text'))
    onStep = async () => {}
    if (step <= stop) break
    expect([stop, outcome]).toEqual([stop, 'lease-lost'])
    // The folder may be left, empty.
    const left = (await readdir(sessions, { recursive: true })).filter((one) => one !== 's.blobs')
    expect([stop, left]).toEqual([stop, []])
  }
})
