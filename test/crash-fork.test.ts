/** A process that dies while it forks a session leaves a fork, or nothing that anybody could take for one. */
import { randomUUID } from 'node:crypto'
import { forkSession, memoryStore, openSession, removeSession, type EntryBody, type Store } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { crashAfter, ManualClock, type CrashPoint } from '@lastgood/core/testing'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { newFolder } from './support/folder.ts'

let redis: Redis
beforeAll(() => {
  redis = new Redis(inject('redisUrl'))
})
afterAll(() => redis.quit())

const clock = new ManualClock()
const answer = { id: 'msg_1', role: 'assistant', model: 'm', content: [{ type: 'text', text: 'yes' }] } as const
const turn: readonly EntryBody[] = [
  { type: 'turn-started', turn: 1, messages: [{ role: 'user', content: 'hi' }] },
  { type: 'response-received', message: { ...answer, content: [...answer.content], stop_reason: 'end_turn' } },
  { type: 'turn-ended', turn: 1 },
]

async function write(store: Store, id: string): Promise<void> {
  const session = await openSession(id, { store, clock })
  await session.record([...turn])
  await session.close()
}

async function said(store: Store, id: string): Promise<unknown[]> {
  const session = await openSession(id, { store, clock })
  await session.close()
  return session.messages().map(({ role }) => role)
}

function signal() {
  let give = () => {}
  const given = new Promise<void>((resolve) => (give = resolve))
  return { given, give: () => give() }
}

/** Forks `a` as `b` in a process that dies at write `n`; whether it did. */
async function forkAndDie(store: Store, n: number, point: CrashPoint): Promise<boolean> {
  const { owner } = await openSession('any', { store: memoryStore(), clock })
  // Such a pid is no process's.
  const dying = { ...owner, id: randomUUID(), pid: 2 ** 31 - 1 }
  const crashing = crashAfter(store, n, point)
  await forkSession(crashing, 'a', 'b', { clock, owner: dying }).catch(() => {})
  return crashing.crashed
}

const stores = [
  { store: 'memory', newStore: () => memoryStore({ clock }) },
  { store: 'file', newStore: () => fileStore({ dir: newFolder(), clock }) },
  { store: 'Redis', newStore: () => redisStore(redis, { prefix: `crash:${randomUUID()}` }) },
]
const points = [
  { applied: true, at: 'write' },
  { applied: false, at: 'write' },
] as const

describe.each(stores)('on the $store store, after a crash at any write', ({ newStore }) => {
  test.each(points)('(applied: $applied) the same fork can be made again, or was made', async (point) => {
    const left = new Set<string>()
    for (let n = 0; ; n += 1) {
      const store = newStore()
      await write(store, 'a')
      if (!(await forkAndDie(store, n, point))) break
      const again = await forkSession(store, 'a', 'b', { clock }).then(
        () => 'made again',
        (error: Error) => error.message,
      )
      left.add(again)
      expect(await said(store, 'b')).toEqual(['user', 'assistant'])
      await store.close()
    }
    expect(left).toEqual(new Set(['made again', 'session b already exists']))
  })

  test.each(points)(
    '(applied: $applied) while its parent is removed, what is left says that it is to be made again',
    async (point) => {
      const left = new Set<boolean>()
      for (let n = 0; ; n += 1) {
        const store = newStore()
        await write(store, 'a')
        const [looked, died] = [signal(), signal()]
        // The removal has looked for forks, and has not removed yet.
        const slow: Store = {
          ...store,
          async *list(filter) {
            yield* store.list(filter)
            looked.give()
            await died.given
          },
        }
        const removal = removeSession(slow, 'a', { clock })
        await looked.given
        const isDead = await forkAndDie(store, n, point)
        died.give()
        await removal
        // The file store lets nobody take over from a remover, dead or not, before its lease ends.
        await clock.advance(60_000)
        const isLeft = (await store.summary('b')) !== undefined
        left.add(isLeft)
        if (isLeft) {
          await expect(said(store, 'b')).rejects.toMatchObject({
            message: 'session b: its fork stopped before anything was in it',
            hint: expect.stringMatching(/lastgood fork a b$/),
          })
        }
        await write(store, 'a')
        await forkSession(store, 'a', 'b', { clock })
        expect(await said(store, 'b')).toEqual(['user', 'assistant'])
        await store.close()
        if (!isDead) break
      }
      expect(left).toEqual(new Set([false, true]))
    },
  )
})
