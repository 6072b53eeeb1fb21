import { createCache, type PromptCache } from './cache.ts'
import { digest } from './digest.ts'
import { canonical } from './canonical.ts'
import type { Block } from './conversation.ts'
import { checkOutages, type ResolvedOptions } from './options.ts'
import { pickOutage, type Endpoint, type Happening, type Occasion, type Outage } from './outage.ts'
import type { OpenRecord, RecordedRequest } from './record.ts'
import { createServerObjects, type ServerObjects } from './server-objects.ts'
import { createThreads, type Threads } from './threads.ts'
import type { Pause } from './transcript.ts'

/** What a running lab remembers. None of it affects what the model says. */
export interface LabState {
  readonly options: ResolvedOptions
  readonly startedAt: number
  readonly requests: readonly RecordedRequest[]
  readonly cache: PromptCache
  readonly threads: Threads
  outages: readonly Outage[]
  setOutages(outages: readonly Outage[]): void
  /** The number of a request to this endpoint, from 1. */
  nextNumber(endpoint: Endpoint): number
  outageFor(request: Pick<Occasion, 'endpoint' | 'n' | 'model' | 'raw'>): Happening | undefined
  readonly objects: ServerObjects
  open(record: Omit<OpenRecord, 'outcome' | 'completed'>): OpenRecord
  /** Remembers the assistant turn so far of an answer with `pause_turn`: it may come back as the last message. */
  rememberPause(turn: readonly Block[]): void
  pauseOf(turn: readonly Block[]): Pause
}

export function createState(options: ResolvedOptions): LabState {
  const requests: OpenRecord[] = []
  const spent = new Set<number>()
  const paused = new Map<string, readonly unknown[]>()
  const counts = { messages: 0, count_tokens: 0, models: 0 }
  const startedAt = options.now()
  return {
    options,
    startedAt,
    requests,
    cache: createCache(options),
    threads: createThreads(options.threads, options.now),
    outages: options.outages,
    setOutages(outages) {
      this.outages = checkOutages(outages)
      spent.clear()
    },
    nextNumber: (endpoint) => ++counts[endpoint],
    outageFor(request) {
      const occasion = { ...request, sinceStartMs: options.now() - startedAt, seed: options.seed }
      const happening = pickOutage(this.outages, occasion, spent)
      if (happening && this.outages[happening.index]?.when.once) spent.add(happening.index)
      return happening
    },
    objects: createServerObjects(options),
    open(start) {
      const record: OpenRecord = { ...start, outcome: { kind: 'pending' }, completed: false }
      requests.push(record)
      return record
    },
    rememberPause: (turn) => void paused.set(digest(canonical(turn)), serverCalls(turn)),
    pauseOf(turn) {
      if (paused.has(digest(canonical(turn)))) return 'same'
      const calls = serverCalls(turn)
      return [...paused.values()].some((known) => known.some((id) => calls.includes(id))) ? 'changed' : undefined
    },
  }
}

/** Calls of server tools that have no result in this turn. */
function serverCalls(turn: readonly Block[]): readonly unknown[] {
  const answered = new Set(turn.map((block) => block['tool_use_id']))
  return turn.flatMap((block) => (block.type === 'server_tool_use' && !answered.has(block['id']) ? [block['id']] : []))
}
