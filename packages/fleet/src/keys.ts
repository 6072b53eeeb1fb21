/**
 * The names of all keys of a fleet.
 *
 * 1. A session's row, priority and count of starts are in one slot, so that one script can touch them together.
 * 2. The shards are in different slots, so that a Cluster spreads them. A session is always in the same shard.
 * 3. All of BullMQ's keys are in one slot: its scripts touch many of them.
 */
import { LastgoodError } from '@lastgood/core'
import { hashOf } from './draw.ts'

const shardCount = 16

export interface ShardKeys {
  /** Sorted set: session id → instant of the next look. */
  readonly rows: string
  /** Set: the sessions that a person waits for. */
  readonly interactive: string
  /** Hash: by session that is worked on, starts whose end was not seen. */
  readonly starts: string
}

export interface Keys {
  readonly shards: readonly ShardKeys[]
  shardOf(sessionId: string): ShardKeys
  /** Exists while a worker sweeps, or has just done so. */
  readonly sweep: string
  /** Exists for a while after a worker began to pull forward the sessions of a model that answers again since `at`. */
  recovery(model: string, at: number): string
  /** Set: the agents that sessions were queued for. */
  readonly agents: string
  /** Exists while all agents are paused. */
  readonly paused: string
  /** The prefix of BullMQ's queue names. */
  readonly queues: string
}

const prefixPattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/

/** Throws `bad-option` when `prefix` cannot begin a key. */
export function keysUnder(prefix: string): Keys {
  if (!prefixPattern.test(prefix)) {
    throw new LastgoodError('bad-option', 'prefix cannot start a key name', {
      hint: 'a prefix has 1 to 128 letters, digits, ".", "_", ":" or "-" and starts with a letter or digit',
      details: { field: 'prefix' },
    })
  }
  const shards = Array.from({ length: shardCount }, (_, k) => ({
    rows: `${prefix}:fleet:{due:${k}}:rows`,
    interactive: `${prefix}:fleet:{due:${k}}:interactive`,
    starts: `${prefix}:fleet:{due:${k}}:starts`,
  }))
  return {
    shards,
    shardOf: (sessionId) => shards[hashOf(sessionId) % shardCount] as ShardKeys,
    sweep: `${prefix}:fleet:sweep`,
    recovery: (model, at) => `${prefix}:fleet:recovery:${hashOf(`${model} ${at}`)}`,
    agents: `${prefix}:fleet:agents`,
    paused: `${prefix}:fleet:paused`,
    queues: `{${prefix}:fleet}`,
  }
}
