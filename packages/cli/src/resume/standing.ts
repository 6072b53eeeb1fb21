/** Where an opened session stands, shown before it goes on. Pure. */
import { callLabel } from '../call-label.ts'
import type { Session } from '@lastgood/core'
import { left } from '../durations.ts'
import { savedAt } from '../live/outage-line.ts'
import { counted } from '../numbers.ts'
import type { Located } from '../sessions/locate.ts'
import { noteOfFolder } from '../sessions/session-row.ts'
import { storeLine } from '../stores.ts'
import { joined, safeLine } from '../text.ts'

/** Which session it is, with a warning if there is one. */
export function introduction({ row, opened }: Located, cwd: string): string[] {
  const { sessionId, agent, model } = row.head
  const lines = [
    storeLine(opened.store.location, opened.source),
    `session  ${sessionId} · ${safeLine(joined([`agent ${agent ?? 'unknown'}`, model]))}`,
  ]
  const note = noteOfFolder(row.head, cwd)
  return note === undefined ? lines : [...lines, note]
}

/** The facts that say where a session stands; an opened session has them. */
export type Standing = Pick<Session, 'turn' | 'lastGoodTurn' | 'owed' | 'transcript'>

/** What is owed, and the in-doubt calls. */
export function standing(stands: Standing, now: number): string[] {
  const lines = [`state    ${savedAt(stands.lastGoodTurn)}; ${owing(stands, now)}`]
  for (const { state, name, input } of stands.transcript.unanswered) {
    if (state !== 'started') continue
    lines.push(`in doubt ${callLabel(name, input, 80)}: it was started, its outcome is unknown`)
  }
  return lines
}

export function owing({ turn, lastGoodTurn, owed, transcript }: Standing, now: number): string {
  switch (owed.kind) {
    case 'rest':
      // A turn that was refused may be replaced by other words, so it owes nothing.
      return turn > lastGoodTurn ? `turn ${turn} is open: it was refused` : 'nothing is open'
    case 'wait':
      return `turn ${turn} is open: continuing ${owed.until > now ? `in ${left(owed.until - now)}` : 'now'}`
    case 'run-tools':
      return `turn ${turn} is open: continuing with ${counted(transcript.unanswered.length, 'tool call')}`
    case 'ask-person':
      return `turn ${turn} is open: a person has to decide`
    case 'send-request':
    case 'end-turn':
      return `turn ${turn} is open: continuing`
  }
}
