import { z } from 'zod'
import { MAX_BODY_BYTES } from './check.ts'
import type { Conversation } from './conversation.ts'
import type { Chunking } from './delivery.ts'
import { realSleep, type Sleep } from './exchange.ts'
import { MODELS, type ModelCard } from './models.ts'
import { outageSchema, type Outage } from './outage.ts'
import type { Reply } from './reply.ts'
import type { ContainersMode, FilesMode } from './server-objects.ts'
import type { StatusPageOptions } from './status-page.ts'
import type { ToolIds } from './served-message.ts'
import type { ThreadsMode } from './threads.ts'

export type ModelFunction = (conversation: Conversation) => Reply

export interface LabOptions {
  /** What the model says: a pure function of the transcript, so that a fresh lab continues where another stopped. */
  readonly model: ModelFunction
  /** The first outage that matches a request happens. Default: none. */
  readonly outages?: readonly Outage[]
  /** Default 0: any free port. */
  readonly port?: number
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default Date.now. Decides windows and the age of cache entries and threads. */
  readonly now?: () => number
  /** How the lab waits in stalls and delays. Default: timers. */
  readonly sleep?: Sleep
  /** A pause before every event of a stream. Default 0. */
  readonly chunkDelayMs?: number
  /** 'event' (default), 'byte', or a number of bytes: how a stream is cut into pieces on its way. */
  readonly chunking?: Chunking
  /** Default: the current models. */
  readonly models?: readonly ModelCard[]
  /** For ids and for the chance of outages. Default 1. */
  readonly seed?: number
  /** Check transcripts. Default true. */
  readonly strict?: boolean
  /**
   * Message threads. 'on' (default): held in memory. 'lost': none is ever found. 'unsupported': refused. 'ignored': as
   * by an upstream that does not know threads, and so answers the new messages alone.
   */
  readonly threads?: ThreadsMode
  /**
   * Containers of code execution. 'on' (default): those of any lab are known. 'expired': those of other labs are gone,
   * and the error says so. 'expired-500': the same, as an untyped 500.
   */
  readonly containers?: ContainersMode
  /** 'any' (default): every file id is good. A list: only these, and what is uploaded. */
  readonly files?: FilesMode
  /** What the status page tells, and how late. Default: what the outages are, 6 minutes late. */
  readonly statusPage?: StatusPageOptions
  /** A shorter prefix is not cached. Default 0. */
  readonly minCacheTokens?: number
  /**
   * 'stable' (default): the same request gets the same tool ids. 'fresh': every attempt gets its own, as from the real
   * API, so that no code can rely on a call's id from a lost answer.
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
    chunking: checkChunking(options.chunking ?? 'event'),
    containers: options.containers ?? 'on',
    files: options.files ?? 'any',
    statusPage: options.statusPage ?? {},
    minCacheTokens: options.minCacheTokens ?? 0,
    toolIds: options.toolIds ?? 'stable',
    maxBodyBytes: options.maxBodyBytes ?? MAX_BODY_BYTES,
  }
}

function checkChunking(chunking: Chunking): Chunking {
  const good = chunking === 'event' || chunking === 'byte' || (Number.isInteger(chunking) && chunking > 0)
  if (!good) throw new TypeError(`chunking: not 'event', 'byte' or a whole number above 0: ${chunking}`)
  return chunking
}

export function checkOutages(outages: readonly Outage[]): readonly Outage[] {
  const parsed = z.array(outageSchema).safeParse(outages)
  if (!parsed.success) throw new TypeError(`outages: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}
