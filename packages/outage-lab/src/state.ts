import { createCache, type PromptCache } from './cache.ts'
import { digest } from './digest.ts'
import { canonical } from './canonical.ts'
import type { Block } from './conversation.ts'
import { checkOutages, type ResolvedOptions } from './options.ts'
import type { Outage } from './outage.ts'
import type { OpenRecord, RecordedRequest } from './record.ts'
import { createThreads, type Threads } from './threads.ts'

/** What a running lab remembers. None of it decides what the model says. */
export interface LabState {
  readonly options: ResolvedOptions
  readonly startedAt: number
  readonly requests: readonly RecordedRequest[]
  readonly cache: PromptCache
  readonly threads: Threads
  outages: readonly Outage[]
  setOutages(outages: readonly Outage[]): void
  nextNumber(): number
  open(record: Omit<OpenRecord, 'outcome' | 'completed'>): OpenRecord
  /** Assistant content that was served with `pause_turn` may come back as the last message. */
  rememberPause(content: readonly Block[]): void
  wasPaused(content: readonly Block[]): boolean
}

export function createState(options: ResolvedOptions): LabState {
  const requests: OpenRecord[] = []
  const paused = new Set<string>()
  let number = 0
  return {
    options,
    startedAt: options.now(),
    requests,
    cache: createCache(options),
    threads: createThreads(options.threads, options.now),
    outages: options.outages,
    setOutages(outages) {
      this.outages = checkOutages(outages)
    },
    nextNumber: () => ++number,
    open(start) {
      const record: OpenRecord = { ...start, outcome: { kind: 'pending' }, completed: false }
      requests.push(record)
      return record
    },
    rememberPause: (content) => paused.add(digest(canonical(content))),
    wasPaused: (content) => paused.has(digest(canonical(content))),
  }
}
