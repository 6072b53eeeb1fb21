import { z } from 'zod'
import type { Conversation } from './conversation.ts'
import { realSleep, type Sleep } from './exchange.ts'
import { MODELS, type ModelCard } from './models.ts'
import { outageSchema, type Outage } from './outage.ts'
import type { Reply } from './reply.ts'
import type { ToolIds } from './served-message.ts'
import type { ThreadsMode } from './threads.ts'

export type ModelFunction = (conversation: Conversation) => Reply

export interface LabOptions {
  /** What the model says: a pure function of the transcript, so that a fresh lab goes on where another stopped. */
  readonly model: ModelFunction
  /** The first that matches a request happens. Default: none. */
  readonly outages?: readonly Outage[]
  /** Default 0: any free port. */
  readonly port?: number
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default Date.now. Decides windows, the cache's and the threads' age. */
  readonly now?: () => number
  /** How the lab waits in stalls and delays. Default: timers. */
  readonly sleep?: Sleep
  /** A pause before every event of a stream. Default 0. */
  readonly chunkDelayMs?: number
  /** Default: the current models. */
  readonly models?: readonly ModelCard[]
  /** For ids and for the chance of outages. Default 1. */
  readonly seed?: number
  /** Check transcripts. Default true. */
  readonly strict?: boolean
  /**
   * Message threads. 'on' (default): held in memory. 'lost': none is ever found. 'unsupported': refused. 'ignored': as
   * an upstream that does not know them, which answers to the new messages alone.
   */
  readonly threads?: ThreadsMode
  /** A shorter prefix is not cached. Default 0. */
  readonly minCacheTokens?: number
  /**
   * 'stable' (default): the same request gets the same tool ids. 'fresh': every attempt gets its own, as from the real
   * API, so that nothing may rely on the id of a call it has seen in a lost answer.
   */
  readonly toolIds?: ToolIds
  /** Largest request body in bytes. Default 32 MB. */
  readonly maxBodyBytes?: number
}

export type ResolvedOptions = Required<LabOptions>

export function resolveOptions(options: LabOptions): ResolvedOptions {
  return {
    model: options.model,
    outages: checkOutages(options.outages ?? []),
    port: options.port ?? 0,
    host: options.host ?? '127.0.0.1',
    now: options.now ?? Date.now,
    sleep: options.sleep ?? realSleep,
    chunkDelayMs: options.chunkDelayMs ?? 0,
    models: options.models ?? MODELS,
    seed: options.seed ?? 1,
    strict: options.strict ?? true,
    threads: options.threads ?? 'on',
    minCacheTokens: options.minCacheTokens ?? 0,
    toolIds: options.toolIds ?? 'stable',
    maxBodyBytes: options.maxBodyBytes ?? 32 * 1024 * 1024,
  }
}

export function checkOutages(outages: readonly Outage[]): readonly Outage[] {
  const parsed = z.array(outageSchema).safeParse(outages)
  if (!parsed.success) throw new TypeError(`outages: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}
