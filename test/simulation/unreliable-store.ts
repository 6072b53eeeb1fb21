/**
 * The way from a process to the store. By chance a call is slow, so that calls overtake each other; is refused; is
 * applied, and the answer is lost; arrives when nobody waits for it any more; or is never answered.
 */
import { LastgoodError, type Store } from '@lastgood/core'
import type { Process } from './process.ts'
import type { Referee } from './referee.ts'

const fates = ['refused', 'late', 'answer lost', 'silent'] as const

export function unreliableStore(store: Store, process: Process, referee: Referee, troubleShare: number): Store {
  const { world } = process
  // Slow there and slow back is longer than lastgood waits, so the way of a healthy process never is.
  const slowShare = process.isHealthy ? 0 : 0.03
  const travel = () => world.sleep(world.chance(slowShare) ? world.below(8_000) : world.below(40))

  function call<T>(what: string, work: () => Promise<T>): Promise<T> {
    const apply = () => world.real(work)
    return process.contact(async () => {
      const fate = world.chance(troubleShare) ? world.pick(fates) : undefined
      if (fate) world.tell(process.name, `${what}: ${fate}`)
      await travel()
      if (fate === 'late')
        void world
          .sleep(world.below(60_000))
          .then(apply)
          .catch(() => {})
      if (fate === 'refused' || fate === 'late') throw unavailable()
      const result = await apply()
      if (fate === 'answer lost') throw unavailable()
      if (fate === 'silent') await new Promise(() => {})
      await travel()
      return result
    })
  }

  async function* each<T>(what: string, items: () => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    yield* await call(what, async () => {
      const all: T[] = []
      for await (const item of items()) all.push(item)
      return all
    })
  }

  const { shared } = store
  return {
    location: store.location,
    journalAt: (sessionId) => store.journalAt(sessionId),
    shared: {
      read: (key) => call(`read ${key}`, () => shared.read(key)),
      write: (key, version, value) => call(`write ${key}`, () => shared.write(key, version, value)),
      list: (prefix) => call(`list ${prefix}`, () => shared.list(prefix)),
    },
    acquire: (sessionId, owner, ttlMs, takeover) =>
      call(`acquire ${sessionId}`, () => store.acquire(sessionId, owner, ttlMs, takeover)),
    async renew(lease, ttlMs) {
      const askedAt = world.clock.now()
      const isHeld = await call(`renew ${lease.sessionId}`, () => store.renew(lease, ttlMs))
      if (isHeld) referee.renewed(lease.owner.id, askedAt)
      return isHeld
    },
    release: (lease) => call(`release ${lease.sessionId}`, () => store.release(lease)),
    append(lease, afterSeq, entries, head) {
      const what = `append ${lease.sessionId} ${afterSeq}+${entries.length}`
      return call(what, () => store.append(lease, afterSeq, entries, head))
    },
    putBlob: (lease, name, text) => call('putBlob', () => store.putBlob(lease, name, text)),
    readBlob: (sessionId, name) => call('readBlob', () => store.readBlob(sessionId, name)),
    read: (sessionId, afterSeq) => each(`read ${sessionId}`, () => store.read(sessionId, afterSeq)),
    summary: (sessionId) => call(`summary ${sessionId}`, () => store.summary(sessionId)),
    list: (filter) => each('list', () => store.list(filter)),
    findings: () => call('findings', () => store.findings()),
    remove: (sessionId, lease) => call(`remove ${sessionId}`, () => store.remove(sessionId, lease)),
    close: () => call('close', () => store.close()),
  }
}

function unavailable(): LastgoodError {
  return new LastgoodError('store-unavailable', 'the simulated network failed', { hint: 'ask again' })
}
