/**
 * The store contract on plain Redis (6.2 or newer, no modules): standalone, Sentinel or Cluster.
 *
 * 1. One atomic operation is one script on the keys of one session; `append` is one round trip.
 * 2. Leases run on the server's clock: the clients' clocks do not matter.
 * 3. The store reads from masters only: a replica may not yet have what was acknowledged.
 */
import {
  type Lease,
  type SessionSummary,
  type Store,
  LastgoodError,
  assertAppend,
  assertBlobName,
  assertSessionId,
  inChunks,
  leaseLost,
  matchesFilter,
  positiveMs,
  storedEntry,
} from '@lastgood/core'
import type { RedisLike } from './client.ts'
import { redisFindings } from './findings.ts'
import { readJournal } from './journal-reader.ts'
import { keysUnder } from './keys.ts'
import { acquired, appended, blobLost, removed } from './outcome.ts'
import { serverOf } from './server.ts'
import { enlist, sessionSummaries, summaryOf, unlist } from './session-index.ts'
import { sharedRecords } from './shared-records.ts'

export interface RedisStoreOptions {
  /** The prefix of all keys. Default: `lastgood`. */
  prefix?: string
}

/**
 * Keeps sessions in the Redis of `client`, an ioredis `Redis` or `Cluster` that the caller opens and closes.
 * Throws `bad-option` for anything else, and for a Cluster that reads from replicas.
 */
export function redisStore(client: RedisLike, options: RedisStoreOptions = {}): Store {
  assertClient(client)
  const keys = keysUnder(options.prefix ?? 'lastgood')
  const server = serverOf(client)
  /** Blobs that no append has followed yet. A fail-over may lose them, so the next append checks for them. */
  const unnamed = new WeakMap<Lease, Set<string>>()

  async function release(lease: Lease): Promise<void> {
    await server.run('release', [keys.session(lease.sessionId)], holderOf(lease))
  }

  /** A lease without a row in the index is not granted, so it is released: nobody should wait until it expires. */
  async function enlistOrRelease(lease: Lease): Promise<void> {
    try {
      await enlist(server, keys, lease)
    } catch (error) {
      await release(lease).catch(() => undefined)
      throw error
    }
  }

  return {
    location: server.location,
    shared: sharedRecords(server, keys),
    journalAt: (sessionId) => server.nameOf(keys.journal(sessionId)),

    async acquire(sessionId, owner, ttlMs, takeover) {
      assertSessionId(sessionId)
      const key = keys.session(sessionId)
      const args = [owner.id, JSON.stringify(owner), duration(ttlMs), takeover ?? '']
      const result = acquired(await server.run('acquire', [key], args), sessionId, server.place(key))
      if (result.kind === 'lease') await enlistOrRelease(result)
      return result
    },

    async renew(lease, ttlMs) {
      const [kind] = await server.run('renew', [keys.session(lease.sessionId)], [...holderOf(lease), duration(ttlMs)])
      return kind === 'renewed'
    },

    release,

    async append(lease, afterSeq, entries, head) {
      assertAppend(lease, afterSeq, entries, head)
      const journal = keys.journal(lease.sessionId)
      const names = [...(unnamed.get(lease) ?? [])]
      // While a Cluster moves a slot, a missing key looks moved, and the whole append would be refused.
      const blobs = names.length > 0 ? [keys.blobs(lease.sessionId)] : []
      const all = [keys.session(lease.sessionId), journal, ...blobs]
      const args = [...holderOf(lease), afterSeq, JSON.stringify(head), names.join(' '), ...entries.map(storedEntry)]
      const reply = await server.run('append', all, args)
      for (const name of names) unnamed.get(lease)?.delete(name)
      if (reply[0] === 'blob-missing') throw blobLost(server.location)
      return appended(reply, lease, afterSeq, server.place(journal))
    },

    async putBlob(lease, name, text) {
      assertBlobName(name)
      const [session, blobs] = [keys.session(lease.sessionId), keys.blobs(lease.sessionId)]
      const [kind] = await server.run('put-blob', [session, blobs], [...holderOf(lease), name, text])
      if (kind !== 'kept') throw leaseLost(lease.sessionId, lease.fence)
      unnamed.set(lease, (unnamed.get(lease) ?? new Set()).add(name))
    },

    async readBlob(sessionId, name) {
      assertSessionId(sessionId)
      assertBlobName(name)
      return (await server.ask((redis) => redis.hget(keys.blobs(sessionId), name))) ?? undefined
    },

    read: (sessionId, afterSeq = 0) =>
      inChunks(async function* () {
        assertSessionId(sessionId)
        yield* readJournal(server, keys, sessionId, afterSeq)
      }),

    async summary(sessionId): Promise<SessionSummary | undefined> {
      assertSessionId(sessionId)
      const summary = await summaryOf(server, keys, sessionId)
      return typeof summary === 'object' ? summary : undefined
    },

    async *list(filter = {}) {
      for await (const summary of sessionSummaries(server, keys)) {
        if (matchesFilter(summary, filter)) yield summary
      }
    },

    findings: () => redisFindings(server, keys),

    async remove(sessionId, lease) {
      assertSessionId(sessionId)
      const key = keys.session(sessionId)
      const all = [key, keys.journal(sessionId), keys.blobs(sessionId)]
      const reply = await server.run('remove', all, lease ? holderOf(lease) : [''])
      await unlist(server, keys, sessionId, removed(reply, sessionId, lease, server.place(key)))
    },

    async close() {
      // The client belongs to the caller, and the store opened nothing.
    },
  }
}

function holderOf({ fence, owner }: Lease): [fence: number, ownerId: string] {
  return [fence, owner.id]
}

function duration(ttlMs: number): number {
  return Math.ceil(positiveMs('ttlMs', ttlMs, 'a lease lasts a number of ms above 0'))
}

/** Other libraries share some command names; an ioredis pipeline has all of them, and gives no answers. */
function isClient(client: Partial<RedisLike & { isPipeline: boolean }> | null | undefined): boolean {
  const hasCommands = typeof client?.evalsha === 'function' && typeof client.lrangeBuffer === 'function'
  return hasCommands && typeof client.options === 'object' && client.options !== null && client.isPipeline !== true
}

/** JavaScript callers may pass anything, most likely a URL. */
function assertClient(client: RedisLike): void {
  if (!isClient(client)) {
    throw new LastgoodError('bad-option', 'not a Redis client', {
      hint: "pass an ioredis client: redisStore(new Redis('redis://127.0.0.1:6379'))",
    })
  }
  const { scaleReads = 'master' } = client.options
  if (scaleReads === 'master') return
  throw new LastgoodError('bad-option', 'the Cluster client reads from replicas, which may lag behind', {
    hint: "give lastgood its own client, with scaleReads: 'master' (the default)",
  })
}
