/**
 * When a session is to be looked at: sorted sets in shards, scored with instants of the Redis clock.
 *
 * 1. A row is a hint; the head of the session decides. The sweep writes a lost row again.
 * 2. A feeder moves a row before it looks (`claim`): no two feeders look at the same one, and one that dies loses none.
 * 3. A row is written before the lease of its session is taken, and removed only if it is unchanged since it was read.
 * 4. Callers pass delays, not instants, so differences between the clocks of hosts do not matter.
 *
 * Errors: `store-unavailable`.
 */
import { runScript } from './commands.ts'
import type { FleetConnection } from './connection.ts'
import type { Keys, ShardKeys } from './keys.ts'
import { asked } from './unavailable.ts'

export type Priority = 'interactive' | 'batch'

/** A row that was claimed. */
export interface Row {
  readonly sessionId: string
  readonly score: number
  /** Epoch ms, the clock of Redis. */
  readonly claimedAt: number
  readonly priority: Priority
}

/** What becomes of a row: it is removed, stays, or is due in this many ms. */
export type RowAction = 'remove' | 'keep' | number
/** What becomes of a count of starts: `zero` while the session is worked on, `clear` when that ended. */
export type CountAction = 'keep' | 'zero' | 'clear' | 'undo'

/** A claimed row is due again after this if its feeder dies. */
const claimMs = 10_000

export class DueIndex {
  readonly #redis: FleetConnection
  readonly #keys: Keys

  constructor(redis: FleetConnection, keys: Keys) {
    this.#redis = redis
    this.#keys = keys
  }

  get shards(): readonly ShardKeys[] {
    return this.#keys.shards
  }

  /** Up to `limit` rows of a shard whose instant has come, and how many rows the shard has. */
  async claim(shard: ShardKeys, limit: number): Promise<{ size: number; rows: Row[] }> {
    const [size, ...found] = await this.#run('claim', [shard.rows, shard.interactive], [limit, claimMs])
    const rows: Row[] = []
    for (let i = 0; i + 2 < found.length; i += 3) {
      const priority = Number(found[i + 2]) === 1 ? 'interactive' : 'batch'
      const score = Number(found[i + 1])
      rows.push({ sessionId: String(found[i]), score, claimedAt: score - claimMs, priority })
    }
    return { size: Number(size), rows }
  }

  /** Writes the row of the session, due in `inMs`, whether or not there is one. */
  async put(sessionId: string, inMs: number, priority: Priority | 'kept' = 'kept'): Promise<void> {
    await this.#put(sessionId, inMs, 'always', priority)
  }

  /** Writes a row only if there is none. */
  async putIfMissing(sessionId: string, inMs: number): Promise<void> {
    await this.#put(sessionId, inMs, 'missing', 'kept')
  }

  /** Moves the row only if there is one with a later instant. */
  async putEarlier(sessionId: string, inMs: number): Promise<void> {
    await this.#put(sessionId, inMs, 'earlier', 'kept')
  }

  /** A worker begins on a session; `starts` counts the starts whose end was not seen, including this one. */
  async start(sessionId: string, inMs: number): Promise<{ score: number; starts: number }> {
    const { rows, starts } = this.#keys.shardOf(sessionId)
    const [score, count] = await this.#run('start', [rows, starts], [sessionId, whole(inMs)])
    return { score: Number(score), starts: Number(count) }
  }

  /** Starts of a session whose end was not seen. */
  async startsOf(sessionId: string): Promise<number> {
    const { starts } = this.#keys.shardOf(sessionId)
    return Number(await this.#ask((redis) => redis.hget(starts, sessionId)))
  }

  /** After a session was looked at or worked on. With `score`, the row changes only if it still has that score. */
  async settle(sessionId: string, score: number | undefined, row: RowAction, count: CountAction): Promise<void> {
    const shard = this.#keys.shardOf(sessionId)
    const action = typeof row === 'number' ? whole(row) : row
    await this.#run('settle', [shard.rows, shard.interactive, shard.starts], [sessionId, score ?? '', action, count])
  }

  /** The sessions of a shard. */
  sessionsOf(shard: ShardKeys): Promise<string[]> {
    return this.#ask((redis) => redis.zrange(shard.rows, '0', '-1'))
  }

  /** Whether `key` was free, and is ours for `ttlMs`. */
  async lock(key: string, ttlMs: number): Promise<boolean> {
    return (await this.#ask((redis) => redis.set(key, '1', 'PX', whole(ttlMs), 'NX'))) === 'OK'
  }

  /** Sessions that a worker began on, and whose end was not seen. */
  async begun(): Promise<string[]> {
    const perShard = this.shards.map(({ starts }) => this.#ask((redis) => redis.hkeys(starts)))
    return (await Promise.all(perShard)).flat()
  }

  /** Rows whose instant has come, rows for later, and sessions with starts that count. */
  async counts(): Promise<{ due: number; later: number; started: number }> {
    const [seconds, micros] = await this.#ask((redis) => redis.time())
    const now = Number(seconds) * 1000 + Number(micros) / 1000
    const perShard = await Promise.all(
      this.shards.map(({ rows, starts }) =>
        this.#ask((redis) => Promise.all([redis.zcount(rows, '-inf', now), redis.zcard(rows), redis.hvals(starts)])),
      ),
    )
    const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0)
    const due = sum(perShard.map(([count]) => count))
    const later = sum(perShard.map(([, all]) => all)) - due
    return { due, later, started: perShard.flatMap(([, , counts]) => counts).filter((count) => count !== '0').length }
  }

  async #put(sessionId: string, inMs: number, where: string, priority: string): Promise<void> {
    const { rows, interactive } = this.#keys.shardOf(sessionId)
    await this.#run('put', [rows, interactive], [sessionId, whole(inMs), where, priority])
  }

  #run(name: Parameters<typeof runScript>[1], keys: readonly string[], args: readonly (string | number)[]) {
    return this.#ask(async (redis) => (await runScript(redis, name, keys, args)) as unknown[])
  }

  #ask<T>(question: (redis: FleetConnection) => Promise<T>): Promise<T> {
    return asked(this.#redis, question(this.#redis))
  }
}

const whole = (ms: number): number => Math.max(0, Math.ceil(ms))
