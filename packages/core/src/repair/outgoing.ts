/**
 * A request on its way out, and what is known about it: what repairs read and change.
 *
 * 1. Everything here is immutable; a repair gives a new `Outgoing` that shares every message it did not touch, so that
 *    identity tells what changed.
 * 2. A note says what was done with names, counts and sizes, never with content.
 */
import type { Fault } from '../faults/fault.ts'
import type { Block, Message, RepairNote } from '../journal/journal.ts'
import type { ModelCard } from '../ladder/model-card.ts'

export interface Outgoing {
  /** The request body without `messages` and `stream`. */
  readonly params: Readonly<Record<string, unknown>>
  readonly messages: readonly Message[]
  /** Values of `anthropic-beta`. */
  readonly betas: readonly string[]
}

/** What a repair may ask about. */
export interface RepairContext {
  /** The model that the request goes to. */
  readonly card: ModelCard
  /** `anthropic-version`. Default: the newest. */
  readonly apiVersion?: string | undefined
  /** Of the answer that the last assistant message is: after `pause_turn` it stays last and unchanged. */
  readonly stopReason?: string | null | undefined
  /** The answer as the API gave it, for a message that stands where it stood; undefined where none is known. */
  recorded?(at: number): Message | undefined
  /** The id of the container that the last answer used. */
  readonly container?: string | undefined
  /** The model that made an assistant message. */
  madeBy?(message: Message): string | undefined
  /** The API's refusal of this very request, for rules that are asked for by it. */
  readonly fault?: Fault | undefined
}

export interface Repair extends RepairNote {
  /** Row of the invariant in docs/repairs.md. */
  readonly row?: number
  /** What is not sent any more: people's words and tool results are never dropped without standing here. */
  readonly removed?: readonly Block[]
}

/** Why no rule could mend it. */
export interface Unrepairable {
  readonly rule: string
  /** Index of the message. */
  readonly message: number
  readonly what: string
  /** So many messages from the beginning are sound: where to rewind to. */
  readonly soundMessages: number
}

export interface Repaired {
  readonly outgoing: Outgoing
  /** Empty when nothing had to be done; then `outgoing` is the very object that came in. */
  readonly repairs: readonly Repair[]
  readonly unrepairable?: Unrepairable
}
