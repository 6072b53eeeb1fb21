/**
 * Keeps book of the attempts of one request: for a session (`session-recorder.ts`), or only in this process for a side
 * request (`side-recorder.ts`).
 *
 * `sending` comes before each attempt and returns what may leave; `faulted` turns what was seen of a failure into a
 * decision; `answered` is durable before the answer's end reaches the caller.
 */
import type { Wire } from '../faults/classify.ts'
import type { LastgoodError } from '../errors.ts'
import type { Decision, Fault } from '../faults/fault.ts'
import type { EarlierAnswers } from '../journal/answer.ts'
import type { AssistantMessage, Block } from '../journal/journal.ts'
import type { Departure } from './attempt.ts'
import type { WireRequest } from './messages-request.ts'

/** A decision after which nothing more is sent. */
export type Ending = Extract<Decision, { kind: 'suspend' | 'fail' }>

/** The part that a stream needs while it is being read. */
export interface AnswerRecorder extends EarlierAnswers {
  /** A line for the person, put before the words of the answer. */
  readonly note?: string | undefined
  /** The model has begun to answer: it lives, whatever becomes of this answer. */
  began(): void
  answered(received: Received): Promise<void>
  delta(kind: 'text' | 'thinking', text: string): void
  /** The deltas of this attempt will be taken back. */
  dropped(): void
}

export interface Recorder<R extends WireRequest> extends AnswerRecorder {
  /** What was done to the request that is answered now, for the headers of the answer. */
  readonly told: Readonly<Record<string, string>>
  sending(signal: AbortSignal): Promise<Departure<R>>
  faulted(wire: Wire, signal: AbortSignal): Promise<Faulted>
  /** Text of an answer that broke off: the next attempt goes on after it, and the answer will begin with it. */
  kept(said: readonly Block[]): void
  /** Nothing more of it will be sent or received. */
  ended(): void
  /** The error for a decision that ends the request; `headers` are those of the API's last response, if there was one. */
  givenUp(fault: Fault, decision: Ending, headers: Headers | undefined): LastgoodError
}

export interface Faulted {
  fault: Fault
  decision: Decision
}

export interface Received {
  message: AssistantMessage
  requestId: string | undefined
  /** Only complete blocks of a cut answer. */
  salvaged: boolean
}
