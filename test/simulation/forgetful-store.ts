/**
 * A server that acknowledges what it has not kept yet, and by chance loses it: as Redis does that fails over, or restarts
 * without `appendfsync always`.
 *
 * 1. It loses entries only behind the back of the writer that has their session, and only until anybody else asks for
 *    the session: then it has them again, as if the old server had come back. So nothing is lost for good here, and all
 *    promises hold.
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

export function forgetfulStore(store: Store, world: World): Store {
  const sessions = new Map<string, Unkept>()

  async function keep(sessionId: string): Promise<void> {
    const { writes = [] } = sessions.get(sessionId) ?? {}
    sessions.delete(sessionId)
    for (const write of writes) await write()
  }

  async function keepAll(): Promise<void> {
    for (const sessionId of sessions.keys()) await keep(sessionId)
  }

  async function* after<T>(kept: () => Promise<void>, items: () => AsyncIterable<T>) {
    await kept()
    yield* items()
  }

  return {
    ...store,
    async acquire(sessionId, ...rest) {
      await keep(sessionId)
      return store.acquire(sessionId, ...rest)
    },
    async release(lease) {
      await keep(lease.sessionId)
      return store.release(lease)
    },
    async append(lease, afterSeq, entries, head) {
      const { sessionId } = lease
      const writer = writerOf(lease)
      const known = sessions.get(sessionId)
      const write = () => store.append(lease, afterSeq, entries, head)
      if (known?.writer === writer && !known.isLost && known.seq === afterSeq && world.chance(0.2)) {
        known.writes.push(write)
        known.seq += entries.length
        known.isLost = world.chance(0.3)
        if (known.isLost) world.tell('store', `${sessionId} loses its last ${known.writes.length} appends`)
        return known.seq
      }
      if (!known?.isLost || known.writer !== writer) await keep(sessionId)
      const seq = await write()
      sessions.set(sessionId, { writer, writes: [], seq, isLost: false })
      return seq
    },
    async readBlob(sessionId, name) {
      await keep(sessionId)
      return store.readBlob(sessionId, name)
    },
    read: (sessionId, afterSeq) =>
      after(
        () => keep(sessionId),
        () => store.read(sessionId, afterSeq),
      ),
    async summary(sessionId) {
      await keep(sessionId)
      return store.summary(sessionId)
    },
    list: (filter) => after(keepAll, () => store.list(filter)),
    async remove(sessionId, lease) {
      await keep(sessionId)
      await store.remove(sessionId, lease)
    },
  }
}
