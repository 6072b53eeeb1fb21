/**
 * The span of each open turn, so that the process that goes on with the turn can link to it.
 *
 * It has to survive its process, and is no fact of the conversation: one more field in an entry or a head would be a
 * new version of the journal, which older readers refuse, for the sake of a line in a trace. Ids derived from session
 * and sequence would need an id generator of ours in the user's SDK. So it is a hint in the shared records of a store:
 * where a record is lost, the trace lacks a link.
 *
 * 1. Bounded: a fixed number of records, each for so many sessions, the oldest out first. A turn that ends is removed.
 * 2. Nothing waits for it, except the opening of a session with an open turn, for one read.
 */
import type { Clock, SharedState } from '@lastgood/core'
import { isSpanContextValid, type SpanContext } from '@opentelemetry/api'

const records = 64
/** With the longest session ids, three quarters of what a shared record may hold. */
const sessionsOfRecord = 200
const tries = 5

interface Kept {
  turn: number
  at: number
  traceparent: string
}
type Spans = Record<string, Kept>

export class InterruptedSpan {
  readonly #shared: SharedState
  readonly #clock: Clock
  readonly #sessionId: string
  #isKept = false
  #writes: Promise<void> = Promise.resolve()

  constructor(shared: SharedState, clock: Clock, sessionId: string) {
    this.#shared = shared
    this.#clock = clock
    this.#sessionId = sessionId
  }

  /** Called once for each part of a turn that a process runs. */
  keep(turn: number, { traceId, spanId, traceFlags }: SpanContext): void {
    if (!isSpanContextValid({ traceId, spanId, traceFlags })) return
    this.#isKept = true
    const traceparent = `00-${traceId}-${spanId}-${(traceFlags & 1).toString().padStart(2, '0')}`
    const one: Kept = { turn, at: this.#clock.now(), traceparent }
    this.#change((spans) => ({ ...spans, [this.#sessionId]: one }))
  }

  forget(): void {
    if (!this.#isKept) return
    this.#isKept = false
    this.#change(({ [this.#sessionId]: _ended, ...others }) => others)
  }

  /** The span of this turn as another process left it; undefined if unknown. */
  async find(turn: number): Promise<SpanContext | undefined> {
    const kept = spansIn((await this.#shared.read(this.#key).catch(() => undefined))?.value)[this.#sessionId]
    const [, traceId, spanId, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-(0[01])$/.exec(kept?.traceparent ?? '') ?? []
    if (kept?.turn !== turn || traceId === undefined || spanId === undefined) return undefined
    return { traceId, spanId, traceFlags: Number(flags), isRemote: true }
  }

  get #key(): string {
    // FNV-1a: spreads evenly, and is the same in every process.
    let hash = 0x811c9dc5
    for (const byte of new TextEncoder().encode(this.#sessionId)) hash = Math.imul(hash ^ byte, 0x01000193)
    return `spans:${(hash >>> 0) % records}`
  }

  #change(change: (spans: Spans) => Spans): void {
    // One change after the other; a store that cannot answer costs a link.
    this.#writes = this.#writes.then(() => this.#write(change)).catch(() => {})
  }

  async #write(change: (spans: Spans) => Spans): Promise<void> {
    for (let tried = 0; tried < tries; tried += 1) {
      const record = await this.#shared.read(this.#key)
      const changed = Object.entries(change(spansIn(record?.value)))
      const newest = changed.sort(([, one], [, other]) => other.at - one.at).slice(0, sessionsOfRecord)
      if (await this.#shared.write(this.#key, record?.version ?? 0, Object.fromEntries(newest))) return
    }
  }
}

/** A value of another form, such as one from another version, counts as no record. */
function spansIn(value: unknown): Spans {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(
    Object.entries(value as Record<string, Partial<Kept> | null>).flatMap(([id, one]) => {
      const { turn, at, traceparent } = one ?? {}
      const isWhole = typeof turn === 'number' && typeof at === 'number' && typeof traceparent === 'string'
      return isWhole ? [[id, { turn, at, traceparent }]] : []
    }),
  )
}
