/**
 * A request of the conversation as it leaves: the caller's own bytes, unless something has to be repaired, another
 * model takes it, or it goes on after an answer that broke off.
 *
 * 1. What is recorded stays as it is. Edits lie over it; new ones are journaled once the API has accepted them.
 * 2. In this order: the edits and standing rules of the session, what is plainly broken, the rules that the API's own
 *    refusals called for in this turn. Then the translation for a rung and the rules that this rung's refusals called
 *    for, in this turn or an earlier one: both are for the rung alone and are not journaled.
 * 3. Checking costs only what is new: recorded messages that were found sound are not checked again (P7).
 */
import type { Fault } from '../faults/fault.ts'
import { isRecord } from '../json.ts'
import type { AssistantMessage, Block, Edit, Message, RepairNote } from '../journal/journal.ts'
import { cardOf } from '../ladder/built-in-cards.ts'
import { isSameModel, permissive, type ModelCard } from '../ladder/model-card.ts'
import { translate } from '../ladder/translate.ts'
import { goOnAfter, originOf } from '../journal/message.ts'
import { firstChanged } from '../journal/rung-repairs.ts'
import { applyEdits, editsBetween } from '../repair/transcript/edits.ts'
import type { Outgoing, RepairContext, Repaired, Unrepairable } from '../repair/outgoing.ts'
import { applyRefusalRule, reachOf } from '../repair/refused/refusal-rules.ts'
import { nameOfRule } from '../repair/rule-name.ts'
import { capCacheMarkers } from '../repair/request/cache-markers.ts'
import { serverPairs } from '../repair/transcript/server-blocks.ts'
import type { TranscriptWatch } from '../repair/transcript/transcript-watch.ts'
import type { Session } from '../session/session.ts'
import { writtenBody } from './body-writer.ts'
import type { ConversationRequest, RequestBody } from './messages-request.ts'

export interface MendedRequest {
  outgoing: Outgoing
  /** The card of the model that it goes to. */
  card: ModelCard
  /** The body, and the betas where they are not the caller's. */
  body: RequestBody
  betas: readonly string[] | undefined
  /** For the journal, once it is accepted. */
  repairs: readonly RepairNote[]
  edits: readonly Edit[]
  standing: readonly string[]
  /** All that was done, for the rung as well. */
  done: readonly string[]
  /** The rules that refusals by its model called for, in this request or one before it; not those that stand. */
  tried: readonly string[]
  unrepairable: Unrepairable | undefined
}

export interface Mending {
  transcript: Session['transcript']
  /** Its messages, and those that are not recorded yet. */
  recorded: readonly Message[]
  /** The rules that refusals of this request called for. */
  tried: readonly string[]
  request: ConversationRequest
  watch: TranscriptWatch
  /** Pieces of the answer that were kept when it broke off, each of one attempt. */
  kept: readonly (readonly Block[])[]
  /** The card of the rung that takes it; undefined for the model that the caller asked for. */
  rung: ModelCard | undefined
  fault?: Fault | undefined
}

/** The broken pieces of an answer and what the model was told after each. */
export function piecesOf(kept: Mending['kept']): Message[] {
  return kept.flatMap((said) => [{ role: 'assistant', content: [...said] }, goOnAfter(said)])
}

export function mend(mending: Mending): MendedRequest {
  const { transcript, recorded, request, watch, kept, rung } = mending
  const { body: params, betas } = request.envelope
  const home = permissive(cardOf(params.model))
  const atHome = contextFor(mending, home)
  const stood = standingFor(transcript, params.model)
  const calledFor = (changedFrom: number) => [
    ...new Set([...transcript.rungRepairs.inForce(changedFrom), ...mending.tried]),
  ]
  const calledForHere = rung ? [] : calledFor(Infinity)

  const underEdits = { params, messages: applyEdits(recorded, transcript.edits), betas }
  const { outgoing } = applied(stood, { outgoing: underEdits, repairs: [] }, atHome)
  const sound = watch.repair(outgoing, atHome)
  let repaired = applied(calledForHere, sound, atHome)
  // What was called for in a turn may undo what holds for all of them.
  if (calledForHere.length > 0) repaired = applied(stood, repaired, atHome)

  // The caller's copy of what is not edited: it has the cache markers.
  const own = request.messages.length === recorded.length ? request.messages : recorded
  const all = editsBetween(recorded, repaired.outgoing.messages)
  const marked = capCacheMarkers({ ...repaired.outgoing, messages: all.length > 0 ? applyEdits(own, all) : own })
  repaired = applied([...stood, ...calledForHere].filter(readsMarkers), { ...repaired, outgoing: marked }, atHome)
  const repairs = repaired.repairs.map(noteOf)
  const journaled = {
    repairs,
    edits: all.filter((edit) => !transcript.edits.some((old) => sameEdit(old, edit))),
    standing: repairs.map(({ rule }) => rule).filter((rule) => stands(rule) && !stood.includes(rule)),
  }

  const tried = calledFor(firstChanged(journaled))
  const whole = kept.length > 0 ? withPieces(repaired.outgoing, kept) : repaired.outgoing
  // The model that was asked for may not accept what another model has left in the history either.
  const isForeign = rung !== undefined || [...transcript.models].some((model) => !isSameModel(model, home.id))
  const originOfSent = isForeign ? originsOf(own, recorded, all) : asRecorded
  const madeBy = (message: Message) => transcript.madeBy(originOfSent(message))
  const wasPaused = (message: Message) => transcript.wasPaused(originOfSent(message))
  const translated = isForeign ? translate(whole, home, rung ?? home, madeBy, wasPaused).outgoing : whole
  const forRung = rung && applied(tried, { outgoing: translated, repairs: [] }, contextFor(mending, rung, originOfSent))
  const out = withWholePairs(forRung?.outgoing ?? translated, kept, atHome)
  const { asSent } = request
  const isOwn = out.params === params && out.messages === request.messages && asSent?.isWhole
  const changed = { ...out.params, messages: out.messages, ...(request.streams && { stream: true }) }
  return {
    outgoing: out,
    card: rung ?? home,
    body: isOwn ? asSent.text : writtenBody(changed, asSent),
    betas: out.betas === betas ? undefined : out.betas,
    ...journaled,
    done: [...repairs, ...(forRung?.repairs ?? [])].map(({ rule }) => rule),
    tried,
    unrepairable: sound.unrepairable,
  }
}

/** What rules make of a request, one after the other, and all that was done to it. */
function applied(rules: readonly string[], to: Repaired, context: RepairContext): Repaired {
  let { outgoing, repairs } = to
  for (const rule of rules) {
    const more = applyRefusalRule(rule, outgoing, context)
    if (!more) continue
    outgoing = more.outgoing
    repairs = [...repairs, ...more.repairs]
  }
  return { outgoing, repairs }
}

const withPieces = (out: Outgoing, kept: Mending['kept']): Outgoing => ({
  ...out,
  messages: [...out.messages, ...piecesOf(kept)],
})

/** A repair of a paused answer may have parted a call of the server's from its result in the pieces after it. */
const withWholePairs = (out: Outgoing, kept: Mending['kept'], context: RepairContext): Outgoing =>
  (kept.length > 0 && serverPairs.repair(out, context)?.outgoing) || out

/** The recorded message that a message which goes out stands for. */
type OriginOf = (message: Message) => Message

const asRecorded: OriginOf = (message) => message

/** `own`: the caller's copy of `recorded`. A repaired answer counts as the original. */
function originsOf(own: readonly Message[], recorded: readonly Message[], edits: readonly Edit[]): OriginOf {
  const recordedOf = new Map(own.map((message, at) => [message, recorded[at] ?? message]))
  for (const { from, to, insert } of edits) {
    const replaced = recorded.slice(from, to)
    for (const message of insert) recordedOf.set(message, originOf(message, replaced) ?? message)
  }
  return (message) => recordedOf.get(message) ?? message
}

export function contextFor(
  { transcript, recorded, request, fault }: Mending,
  card: ModelCard,
  originOfSent = asRecorded,
): RepairContext {
  return {
    card,
    apiVersion: request.envelope.apiVersion,
    stopReason: transcript.stopReasonWithin(recorded),
    container: containerOf(transcript.lastAnswer),
    wasPaused: (message) => transcript.wasPaused(originOfSent(message)),
    // An edit that lies over them must not be undone.
    recorded: transcript.edits.length === 0 ? recorded : undefined,
    fault,
  }
}

function containerOf(answer: AssistantMessage | undefined): string | undefined {
  const container = answer?.['container']
  return isRecord(container) && typeof container['id'] === 'string' ? container['id'] : undefined
}

/** The rules that stand for a model. What an edit has unbound, it has unbound for every model that binds thinking. */
export function standingFor({ standing }: Session['transcript'], model: string): string[] {
  const { preservedThinking } = cardOf(model)
  const isFor = (one: (typeof standing)[number]) =>
    one.model === model || (one.rule === 'drop-block' && preservedThinking)
  return [...new Set(standing.filter(isFor).map(({ rule }) => rule))]
}

const stands = (rule: string): boolean => reachOf(rule) === 'model'
/** What it names may be part of a cache marker, which is in the caller's copy alone. */
const readsMarkers = (rule: string): boolean => nameOfRule(rule) === 'drop-field'

function noteOf({ rule, message, what }: RepairNote): RepairNote {
  return { rule, ...(message !== undefined && { message }), what }
}

function sameEdit(a: Edit, b: Edit): boolean {
  return (
    a.from === b.from &&
    a.to === b.to &&
    a.insert.length === b.insert.length &&
    a.insert.every((message, i) => message === b.insert[i])
  )
}
