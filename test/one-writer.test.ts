/**
 * One writer per session, with real processes (P3): they fight for it, hang, are stopped and killed, on one folder and on
 * one Redis. Each logs what it asked and was answered, and the journal has to agree with all of them (P1).
 */
import { randomUUID } from 'node:crypto'
import { isLastgoodError, openSession, type Session, type Store } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { owner } from '@lastgood/core/testing'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { newFolder } from './support/folder.ts'
import { entriesOf } from './support/harness.ts'
import { type Operation, violations } from './support/journal-history.ts'
import { type Told, historyFrom, journalOf } from './support/telling.ts'
import { startTold } from './support/told-process.ts'

/** A store, and what a process needs to find it. */
interface Shared {
  store: Store
  plan: { dir?: string; redis?: string; prefix?: string }
}

async function onFiles(): Promise<Shared> {
  const dir = newFolder()
  return { store: fileStore({ dir }), plan: { dir } }
}

async function onRedis(): Promise<Shared> {
  const [redis, prefix] = [inject('redisUrl'), `test:${randomUUID()}`]
  const client = new Redis(redis)
  onTestFinished(() => client.disconnect())
  return { store: redisStore(client, { prefix }), plan: { redis, prefix } }
}

const stores = [
  ['the file store', onFiles],
  ['Redis', onRedis],
] as const

// Long enough for a holder to renew on a machine that is busy with other tests.
const ttlMs = 800

/** It was a fight: there were winners and losers. */
function expectFight(history: readonly Operation[]): void {
  const outcomes = ['append acknowledged', 'append lease-lost', 'acquire done', 'acquire busy', 'renew true']
  const found = history.map(({ kind, outcome }) => `${kind} ${typeof outcome === 'object' ? 'done' : outcome}`)
  expect(found).toEqual(expect.arrayContaining(outcomes))
}

describe.each(stores)('on %s', (_store, open) => {
  test.each([
    [2, 120],
    [10, 25],
  ])(
    '%i processes fight for one session in %i rounds each, and all were told the truth (P1, P3)',
    { timeout: 120_000 },
    async (processes, rounds) => {
      const { store, plan } = await open()
      const running = Array.from({ length: processes }, (_, i) =>
        startTold<Told>('contender-process.mjs', {
          ...plan,
          sessionId: 's',
          name: `process-${i}`,
          seed: processes * 100 + i,
          rounds,
          ttlMs,
        }),
      )
      for (const { ended } of running) expect(await ended).toMatchObject({ code: 0, signal: null })
      const history = historyFrom(running.flatMap(({ told }) => told))
      expect(violations(history, await journalOf(store, 's'))).toEqual([])
      expectFight(history)
    },
  )

  test(
    'processes that are stopped and killed in the middle of the fight leave a true journal (P1, P3)',
    { timeout: 120_000 },
    async () => {
      const { store, plan } = await open()
      const start = (i: number) =>
        startTold<Told>('contender-process.mjs', {
          ...plan,
          sessionId: 's',
          name: `process-${i}`,
          seed: i,
          rounds: i < 3 ? 1000 : 40,
          ttlMs,
        })
      const [first, second, third] = [start(0), start(1), start(2)]
      // Stopped somewhere; the others go on while it hangs, and it goes on from there.
      await expect.poll(() => first.told.length, { timeout: 20_000 }).toBeGreaterThan(60)
      first.child.kill('SIGSTOP')
      await expect.poll(() => second.told.length, { timeout: 20_000 }).toBeGreaterThan(150)
      second.child.kill('SIGKILL')
      const fourth = start(3)
      expect(await fourth.ended).toMatchObject({ code: 0, signal: null })
      first.child.kill('SIGCONT')
      const before = first.told.length
      await expect.poll(() => first.told.length, { timeout: 20_000 }).toBeGreaterThan(before + 20)
      first.child.kill('SIGKILL')
      third.child.kill('SIGKILL')
      const all = [first, second, third, fourth]
      await Promise.all(all.map(({ ended }) => ended))
      const history = historyFrom(all.flatMap(({ told }) => told))
      expect(violations(history, await journalOf(store, 's'))).toEqual([])
    },
  )

  test(
    'a process that stood still for longer than its lease is told lease-lost, and nothing of it comes later (P3)',
    { timeout: 60_000 },
    async () => {
      const { store, plan } = await open()
      const first = startTold<{ recorded?: number; ended?: string; after?: string }>('session-process.mjs', {
        ...plan,
        sessionId: 'ses',
        leaseMs: ttlMs,
      })
      await expect.poll(() => first.told.length, { timeout: 20_000 }).toBeGreaterThan(5)
      first.child.kill('SIGSTOP')

      const second = await takenWhenFree(store)
      const takenAt = (await entriesOf(store)).findLastIndex(({ fence }) => fence === second.fence)
      await second.session.startTurn([{ role: 'user', content: 'by the other' }])
      first.child.kill('SIGCONT')
      expect(await first.ended).toMatchObject({ code: 0, signal: null })
      await second.session.startTurn([{ role: 'user', content: 'and again' }])

      const last = first.told.at(-1)
      expect(last).toEqual({ ended: 'lease-lost', after: 'lease-lost' })
      const entries = await entriesOf(store)
      const acknowledged = first.told.flatMap(({ recorded }) => recorded ?? [])
      const ofFirst = entries.filter(({ fence }) => fence < second.fence)
      // All that it was told is there, at most one append that it was stopped in besides, and nothing after the takeover.
      expect(ofFirst.slice(0, acknowledged.at(-1)).length).toBe(acknowledged.at(-1))
      expect(ofFirst.length - acknowledged.at(-1)!).toBeLessThanOrEqual(1)
      expect(entries.slice(0, ofFirst.length)).toEqual(ofFirst)
      expect(takenAt).toBe(ofFirst.length)
      expect(entries.at(-1)).toMatchObject({ type: 'turn-started', fence: second.fence })
    },
  )
})

/** Opens the session as another host would, when its lease has run out: not by force. */
async function takenWhenFree(store: Store): Promise<{ session: Session; fence: number }> {
  let session: Session | undefined
  await expect
    .poll(
      async () => {
        session = await openSession('ses', { store, owner: owner('another-host') }).catch((error: unknown) => {
          if (isLastgoodError(error, 'session-busy')) return undefined
          throw error
        })
        return session !== undefined
      },
      { timeout: 20_000 },
    )
    .toBe(true)
  const opened = session!
  onTestFinished(() => opened.close())
  return { session: opened, fence: (await store.summary('ses'))!.holder!.fence }
}
