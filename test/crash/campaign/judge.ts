/**
 * Judges a session by the evidence. Pure. Every count of `Verdict.counts` except the last two has to be 0.
 */
import { createHash } from 'node:crypto'
import type { Entry } from '@lastgood/core'
import type { EffectLine, Evidence, Life } from './evidence.ts'
import { allItems, answerTo, tasks } from './workload.ts'

/** What must never happen, and its description. */
export const offences = {
  lost: 'acknowledged entries and replies lost (P1)',
  rerun: 'finished tool calls run again (P2)',
  repeated: 'calls of unknown outcome silently repeated (P2)',
  miscounted: 'items done not exactly once (P2)',
  unannounced: 'effects and requests that no durable entry announced (P5)',
  invalid: 'conversations refused by the lab (P4)',
  unresumed: 'sessions that could not be resumed (P6)',
} as const
export type Offence = keyof typeof offences

export interface Finding {
  offence: Offence
  session: string
  what: string
}

export function judge(evidence: Evidence): Finding[] {
  const found = Object.entries(judges).flatMap(([offence, look]) =>
    look(evidence).map((what) => ({ offence: offence as Offence, session: evidence.session, what })),
  )
  return found
}

type Begin = Extract<EffectLine, { at: 'begin' }>

const beginsOf = ({ effects }: Evidence) => effects.filter((line): line is Begin => line.at === 'begin')
const isFinished = ({ lives }: Evidence) => lives.at(-1)?.end === 'finished'

const judges: Record<Offence, (evidence: Evidence) => string[]> = {
  lost({ lives, journal }) {
    const broken = journal.filter((entry, i) => entry.seq !== i + 1 || entry.fence < (journal[i - 1]?.fence ?? 0))
    const digests = journal.map((entry) => createHash('sha256').update(JSON.stringify(entry)).digest('base64'))
    const entries = lives.flatMap(({ said }) => said.flatMap((line) => ('entry' in line ? [line.entry] : [])))
    const replies = lives.flatMap(({ said }) => said.flatMap((line) => ('reply' in line ? [line.reply] : [])))
    const ended = new Set(journal.flatMap((entry) => (entry.type === 'turn-ended' ? [entry.turn] : [])))
    return [
      ...broken.map(({ seq }) => `entry ${seq} is out of order`),
      ...entries.filter(({ seq, digest }) => digests[seq - 1] !== digest).map(({ seq }) => `entry ${seq}`),
      ...replies.filter(({ turn }) => !ended.has(turn)).map(({ turn }) => `the end of turn ${turn}`),
      ...replies
        .filter(({ turn, text }) => text !== answerTo(tasks[turn - 1] ?? ''))
        .map(({ turn }) => `the answer of turn ${turn}`),
    ]
  },

  rerun: (evidence) =>
    beginsOf(evidence)
      .filter(({ call, seq }) => evidence.journal.some((entry) => entry.seq <= seq && isResultOf(entry, call)))
      .map(({ call, life }) => `${call} in life ${life}`),

  repeated({ effects, lives }) {
    const begun = new Set<string>()
    /** Calls that a look found without effect: their next run counts as the first. */
    const isClear = new Set<string>()
    return effects.flatMap((line) => {
      if (line.at === 'verify' && line.verdict === 'not-done') isClear.add(line.call)
      if (line.at !== 'begin') return []
      const { call, rule, life } = line
      const isAllowed = !begun.has(call) || rule === 'rerun' || isClear.delete(call)
      begun.add(call)
      return isAllowed || answerIn(lives, life, call) === 'rerun' ? [] : [`${call} in life ${life}`]
    })
  },

  miscounted(evidence) {
    const { session, effects } = evidence
    const times = (item: number) => effects.filter((line) => line.at === 'effect' && line.item === item).length
    const keys = beginsOf(evidence).filter(({ call, key }) => key !== `${session}:${call}`)
    return [
      ...allItems
        .filter((item) => times(item) > 1 || (times(item) === 0 && isFinished(evidence)))
        .map((item) => `item ${item}: ${times(item)} times`),
      ...keys.map(({ call, key }) => `${call} had the key ${key}`),
    ]
  },

  unannounced(evidence) {
    const { journal, requests } = evidence
    const isAnnounced = ({ call, seq }: Begin) =>
      journal.some((entry) => entry.type === 'tool-started' && entry.toolUseId === call && entry.seq <= seq)
    const sent = requests.filter(({ n }) => n > 0).length
    const announced = journal.filter(({ type }) => type === 'request-sent').length
    return [
      ...beginsOf(evidence)
        .filter((begin) => begin.rule !== 'rerun' && !isAnnounced(begin))
        .map(({ call, life }) => `${call} in life ${life}`),
      ...(sent > announced ? [`${sent} requests, of which ${announced} were announced`] : []),
    ]
  },

  invalid: ({ requests }) =>
    requests.flatMap(({ n, outcome, violation }) => {
      if (violation) return [`request ${n}: ${violation.message}`]
      return outcome.kind === 'rejected' ? [`request ${n}: ${outcome.error?.message ?? outcome.status}`] : []
    }),

  unresumed(evidence) {
    const { lives, state, isHeld } = evidence
    const last = lives.at(-1)
    if (last?.end !== 'finished') return [`life ${lives.length} ${last?.end}: ${last?.stderr.trim().slice(0, 2000)}`]
    if (state === 'idle' && !isHeld) return []
    return [`it finished, is ${state} and ${isHeld ? 'held' : 'free'}`]
  },
}

/** Whether the entry has the result of the call, from an agent or from the program's own loop. */
function isResultOf(entry: Entry, call: string): boolean {
  if (entry.type === 'tool-finished') return entry.toolUseId === call
  if (entry.type !== 'turn-continued') return false
  return entry.messages.some(
    ({ content }) => typeof content !== 'string' && content.some((block) => block['tool_use_id'] === call),
  )
}

/** Lives are numbered from 1. */
function answerIn(lives: readonly Life[], life: number, call: string): string | undefined {
  return lives[life - 1]?.answers[call]
}
