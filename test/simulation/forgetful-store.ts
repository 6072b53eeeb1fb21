/**
 * A server that acknowledges what it has not kept yet, and by chance loses it: as Redis does that fails over, or restarts
 * without `appendfsync always`.
 *
 * 1. It loses entries only behind the back of the writer that has their session, and only until that writer leaves it,
 *    another takes it, or the server recovers: then it has them again. So nothing is lost for good here, and all promises
 *    hold.
 * 2. What the writer appends meanwhile counts. If it does not give the lost entries again, the journal is another one.
 */
import type { Lease, Store } from '@lastgood/core'
import type { World } from './world.ts'

/** What was acknowledged to the writer of a session after the last append that was kept. */
interface Unkept {
  readonly writer: string
  readonly writes: (() => Promise<unknown>)[]
  seq: number
  isLost: boolean
}

const writerOf = ({ fence, owner }: Lease): string => `${fence} ${owner.id}`

export function forgetfulStore(store: Store, world: World): Store & { recover(): Promise<void> } {
  const sessions = new Map<string, Unkept>()

  async function keep(sessionId: string): Promise<void> {
    const { writes = [] } = sessions.get(sessionId) ?? {}
    sessions.delete(sessionId)
    for (const write of writes) await write()
  }

  /** Readers see everything that was acknowledged, unless it is lost. */
  async function show(sessionId: string): Promise<void> {
    if (!sessions.get(sessionId)?.isLost) await keep(sessionId)
  }

  return {
    ...store,
    async recover() {
      for (const sessionId of sessions.keys()) await keep(sessionId)
    },
    async acquire(sessionId, owner, ttlMs, takeover) {
      const { holder } = (await store.summary(sessionId)) ?? {}
      // Who is told that it is busy has not taken it.
      if (!holder || holder.owner.id === owner.id || holder.fence === takeover) await keep(sessionId)
      return store.acquire(sessionId, owner, ttlMs, takeover)
    },
    async release(lease) {
      if (sessions.get(lease.sessionId)?.writer === writerOf(lease)) await keep(lease.sessionId)
      return store.release(lease)
    },
    async append(lease, afterSeq, entries, head) {
      const { sessionId } = lease
      const writer = writerOf(lease)
      const known = sessions.get(sessionId)
      const write = () => store.append(lease, afterSeq, entries, head)
      // One that was superseded: the store says so, and nothing changes.
      if (known && known.writer !== writer) return write()
      if (known && !known.isLost && known.seq === afterSeq && world.chance(0.2)) {
        known.writes.push(write)
        known.seq += entries.length
        known.isLost = world.chance(0.3)
        if (known.isLost) world.tell('store', `${sessionId} loses its last ${known.writes.length} appends`)
        return known.seq
      }
      if (!known?.isLost) await keep(sessionId)
      const seq = await write()
      // A late repeat of what was there before gives nothing back.
      if (known?.isLost && seq < known.seq) return seq
      sessions.set(sessionId, { writer, writes: [], seq, isLost: false })
      return seq
    },
    async readBlob(sessionId, name) {
      await show(sessionId)
      return store.readBlob(sessionId, name)
    },
    async *read(sessionId, afterSeq) {
      await show(sessionId)
      yield* store.read(sessionId, afterSeq)
    },
    async summary(sessionId) {
      await show(sessionId)
      return store.summary(sessionId)
    },
    async *list(filter) {
      for (const sessionId of sessions.keys()) await show(sessionId)
      yield* store.list(filter)
    },
    async remove(sessionId, lease) {
      await keep(sessionId)
      await store.remove(sessionId, lease)
    },
  }
}
