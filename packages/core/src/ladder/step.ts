/** One step of a translation. */
import type { Message } from '../journal/journal.ts'
import type { Outgoing } from '../repair/outgoing.ts'
import type { ModelCard } from './model-card.ts'

/** The models that a request moves between. */
export interface Move {
  /** The model that the request was written for. */
  readonly from: ModelCard
  readonly to: ModelCard
  /** The model that made an assistant message; undefined if unknown: it then counts as made by `from`. */
  madeBy(message: Message): string | undefined
  /** Whether an assistant message ended in a pause, so that the server continues it. Default: none did. */
  wasPaused?(message: Message): boolean
}

/** A move from a model to itself: finds what the model does not accept of a request written for it. */
export const within = (card: ModelCard): Move => ({ from: card, to: card, madeBy: () => undefined })

/** What a step changed, and a line about it for people, without content. */
export interface Changed {
  readonly outgoing: Outgoing
  readonly what: string
}

/** Undefined when there is nothing to do. */
export type Step = (outgoing: Outgoing, move: Move) => Changed | undefined
