/**
 * The repairs that the next request of a session would need, asked ahead of it.
 *
 * 1. It only reads. A repair is journaled once the API has accepted it, so this records nothing.
 * 2. It mends as for a real request (`mended-request.ts`), under the pinned envelope.
 */
import type { Folded } from '../session/fold.ts'
import type { Edit, Message, RepairNote } from '../journal/journal.ts'
import { cardOf } from '../ladder/built-in-cards.ts'
import { initialSnapshot } from '../machine/machine-step.ts'
import type { Unrepairable } from '../repair/outgoing.ts'
import { next } from '../repair/stored-transcript.ts'
import { TranscriptWatch } from '../repair/transcript/transcript-watch.ts'
import type { TurnSpan } from '../journal/transcript.ts'
import { mend, standingFor } from './mended-request.ts'

export interface PendingRepairs {
  /** What is recorded, with the results that calls of unknown outcome will get. */
  messages: readonly Message[]
  turns: readonly TurnSpan[]
  repairs: readonly RepairNote[]
  /** The new edits of `messages`; they replace older ones that they meet. */
  edits: readonly Edit[]
  /**
   * What is repaired in every request already: edits of messages, rules for the request as a whole, and rules for other
   * rungs of the ladder.
   */
  inForce: {
    edits: readonly Edit[]
    standing: readonly string[]
    rungs: readonly { readonly model: string; readonly rule: string }[]
  }
  unrepairable: Unrepairable | undefined
}

/** The repairs that the next request of a folded session needs; pure. */
export function pendingRepairs({ transcript, snapshot }: Pick<Folded, 'transcript' | 'snapshot'>): PendingRepairs {
  const { edits, turns } = transcript
  const messages = transcript.conversation()
  const model = transcript.envelope?.body.model ?? transcript.lastAnswer?.model ?? 'claude-opus-5-5'
  const inForce = {
    edits,
    standing: [...standingFor(transcript, model), ...transcript.rungRepairs.ofHome],
    rungs: transcript.rungRepairs.ofOthers,
  }
  const known = { messages, turns, inForce }
  if (messages.length === 0) return { ...known, repairs: [], edits: [], unrepairable: undefined }
  const isOpen = turns.at(-1)?.to === undefined
  const all = isOpen ? messages : [...messages, next]
  const { tried, rungModel } = (isOpen ? snapshot : initialSnapshot).context
  const envelope = transcript.envelope ?? { body: { model }, betas: [] }
  const request = { streams: true, envelope, added: [], messages: all, asSent: undefined }
  const rung = rungModel === null ? undefined : cardOf(rungModel)
  const mended = mend({ transcript, recorded: all, tried, request, watch: new TranscriptWatch(), kept: [], rung })
  return { ...known, repairs: mended.repairs, edits: mended.edits, unrepairable: mended.unrepairable }
}
