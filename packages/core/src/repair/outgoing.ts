/**
 * An outgoing request, and what is known about it: what repairs read and change.
 *
 * 1. Everything here is immutable; a repair returns a new `Outgoing` that shares every message it did not touch, so
 *    identity tells what changed.
 * 2. A note describes the change by names, counts and sizes, never by content.
 */
import type { Fault } from '../faults/fault.ts'
import type { Block, Message, RepairNote } from '../journal/journal.ts'
import type { ModelCard } from '../ladder/model-card.ts'

/** The request body without `messages` and `stream`. */
export type Params = Readonly<Record<string, unknown>>

export interface Outgoing {
  readonly params: Params
  readonly messages: readonly Message[]
  /** Values of `anthropic-beta`. */
  readonly betas: readonly string[]
}

/** What a repair may look up. */
export interface RepairContext {
  /** The model that the request goes to. */
  readonly card: ModelCard
  /** `anthropic-version`. Default: the newest. */
  readonly apiVersion?: string | undefined
  /** The stop reason of the last assistant message: after a pause that message stays last and unchanged. */
  readonly stopReason?: string | null | undefined
  /** The messages as they were recorded, with the answers as the API gave them; undefined where those are not known. */
  readonly recorded?: readonly Message[] | undefined
  /** The id of the container that the last answer used. */
  readonly container?: string | undefined
  /** Whether an assistant message is known to have ended in a pause. */
  wasPaused?(message: Message): boolean
  /** The API's refusal of this very request, for the rules that a refusal calls for. */
  readonly fault?: Fault | undefined
}

export interface Repair extends RepairNote {
  /** Row of the invariant in docs/repairs.md. */
  readonly row?: number
  /** What is no longer sent: people's words and tool results are never dropped without being listed here. */
  readonly removed?: readonly Block[]
}

/** Why no rule could repair the request. */
export interface Unrepairable {
  readonly rule: string
  /** Index of the message. */
  readonly message: number
  readonly what: string
  /** How many messages from the beginning are sound: where to rewind to. */
  readonly soundMessages: number
}

export interface Repaired {
  readonly outgoing: Outgoing
  /** Empty when nothing had to be done; `outgoing` is then the very object that came in. */
  readonly repairs: readonly Repair[]
  readonly unrepairable?: Unrepairable
}
