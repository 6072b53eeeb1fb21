/**
 * What the picker offers, how a row of it looks, and how a search finds it. Pure.
 *
 * 1. The sessions of this folder come first; those of all projects are behind one entry, and in every search.
 * 2. Everything that somebody else wrote (ids, agents, reasons, messages) is shown as text on one line.
 */
import { ago, left } from '../durations.ts'
import { processText, type SessionRow } from '../sessions/session-row.ts'
import { table } from '../table.ts'
import { joined, safeLine, shorten } from '../text.ts'

export interface SessionChoice {
  readonly kind: 'session'
  readonly row: SessionRow
  /** The first thing the user said. */
  readonly words: string | undefined
}

export type Choice = SessionChoice | { readonly kind: 'everywhere'; readonly more: number }

/** What is shown before anything is typed, and what a search covers. */
export interface Offer {
  /** Whether it covers only this folder. */
  readonly isHere: boolean
  readonly shown: readonly Choice[]
  readonly searched: readonly SessionChoice[]
}

/** `sessions` stay in their order; `isWide`: a person asked for all projects. */
export function offerOf(sessions: readonly SessionChoice[], cwd: string, isWide: boolean): Offer {
  const here = sessions.filter(({ row }) => row.head.cwd === cwd)
  const more = sessions.length - here.length
  if (isWide || here.length === 0 || more === 0) return { isHere: more === 0, shown: sessions, searched: sessions }
  return { isHere: true, shown: [...here, { kind: 'everywhere', more }], searched: sessions }
}

export interface RowStyle {
  readonly now: number
  readonly cwd: string
  /** The user's home folder, shown as `~`. */
  readonly home: string
  readonly columns: number
}

/** The labels of `choices`, in aligned columns. */
export function labelsOf(choices: readonly Choice[], style: RowStyle): string[] {
  const sessions = choices.filter((one) => one.kind === 'session')
  const isProjectShown = new Set(sessions.map(({ row }) => row.head.cwd)).size > 1
  const cells = sessions.map((one) => cellsOf(one, isProjectShown, style).map((text) => ({ text })))
  const [, ...lines] = table(cells[0]?.map(() => '') ?? [], cells, style.columns, { dim: (text) => String(text) })
  return choices.map((one) => (one.kind === 'session' ? (lines.shift() ?? '') : `all projects (${one.more} more)`))
}

function cellsOf({ row, words }: SessionChoice, isProjectShown: boolean, { now }: RowStyle): string[] {
  const { head, status, holder } = row
  return [
    shorten(head.sessionId, 24),
    ago(head.updatedAt, now),
    holder ? 'in use' : status,
    `turn ${head.turn}`,
    ...(isProjectShown ? [shorten(head.cwd?.split(/[/\\]/).at(-1) ?? '-', 16)] : []),
    words ?? '',
  ]
}

/** Further facts about the session under the cursor. */
export function hintOf({ row }: SessionChoice, { now, cwd, home }: RowStyle): string {
  const { head, holder } = row
  const isAtHome = head.cwd?.startsWith(`${home}/`) === true
  const place = isAtHome ? `~${head.cwd?.slice(home.length)}` : head.cwd
  const facts = [
    head.reason,
    holder && `held by ${processText(holder.owner)} since ${ago(holder.since, now)}`,
    head.lastGoodTurn < head.turn && `saved at turn ${head.lastGoodTurn}`,
    head.dueAt !== undefined && head.dueAt > now && `next try in ${left(head.dueAt - now)}`,
    head.cwd !== cwd && place,
    head.agent !== undefined && `agent ${head.agent}`,
  ]
  return safeLine(joined(facts))
}

/** Whether every word of `search` occurs in what is known of the session. */
export function isFound({ row, words }: SessionChoice, search: string): boolean {
  const { sessionId, cwd, agent, model, reason } = row.head
  const text = [sessionId, cwd, agent, model, reason, row.status, words].join(' ').toLowerCase()
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}
