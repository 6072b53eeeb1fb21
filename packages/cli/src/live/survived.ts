/**
 * What many sessions come through, as it happens and in sum: a line per change of an outage, without content.
 *
 * 1. It runs for months: of more than `mostSessions`, only those heard of last are remembered. One that is heard of
 *    again after that counts twice, so the sum says `about`.
 */
import type { Entry, SessionEvent } from '@lastgood/core'
import { iso, spent } from '../durations.ts'
import { counted } from '../numbers.ts'
import { Troubles } from '../outages/trouble.ts'
import { processText } from '../sessions/session-row.ts'
import { safeLine } from '../text.ts'

/** What remembering them may take: a few megabytes. */
const mostSessions = 10_000

export class Survived {
  readonly #tell: (line: string) => void
  readonly #tellsTurns: boolean
  /** The one heard of last comes last. */
  readonly #sessions = new Map<string, Troubles>()
  #forgotten = 0
  #answers = 0
  #faults = 0
  #recovered = 0

  /** `every turn`: also reports what goes well. */
  constructor(tell: (line: string) => void, told: 'trouble' | 'every turn' = 'trouble') {
    this.#tell = tell
    this.#tellsTurns = told === 'every turn'
  }

  readonly take = (sessionId: string, event: SessionEvent): void => {
    if (event.type !== 'entry') return
    const { entry } = event
    const over = this.#remembered(sessionId).take(entry)?.live
    const say = (what: string) => this.#tell(`${iso(entry.at)}  ${safeLine(sessionId)}  ${what}`)
    if (entry.type === 'fault-observed') {
      this.#faults += 1
      const { kind, status } = entry.fault
      say(`${[status, kind].filter(Boolean).join(' ')}: ${doing(entry.decision)}`)
    }
    if (entry.type === 'rung-changed')
      say(`${entry.rung === 0 ? 'back to' : 'continues with'} ${safeLine(entry.model)}`)
    if (entry.type === 'transcript-repaired')
      say(`repaired: ${safeLine(entry.repairs.map(({ rule }) => rule).join(', '))}`)
    if (this.#tellsTurns) for (const line of turnLines(entry)) say(line)
    if (entry.type !== 'response-received') return
    this.#answers += 1
    if (!over) return
    this.#recovered += 1
    say(`answered after ${spent(entry.at - over.since)}, attempt ${over.attempt}`)
  }

  /** The sum in one line: answers, sessions, faults. */
  get sum(): string {
    const faults =
      this.#faults === 0
        ? 'nothing failed'
        : `${counted(this.#faults, 'fault')}, ${counted(this.#recovered, 'answer')} recovered`
    const about = this.#forgotten === 0 ? '' : 'about '
    return `${counted(this.#answers, 'answer')} in ${about}${counted(this.count, 'session')}; ${faults}`
  }

  /** How many sessions were heard of. */
  get count(): number {
    return this.#sessions.size + this.#forgotten
  }

  /** The `most` sessions heard of last; the very last one comes last. */
  last(most: number): readonly string[] {
    return [...this.#sessions.keys()].slice(-most)
  }

  #remembered(sessionId: string): Troubles {
    const troubles = this.#sessions.get(sessionId) ?? new Troubles()
    this.#sessions.delete(sessionId)
    this.#sessions.set(sessionId, troubles)
    if (this.#sessions.size > mostSessions) {
      const [oldest = ''] = this.#sessions.keys()
      this.#sessions.delete(oldest)
      this.#forgotten += 1
    }
    return troubles
  }
}

function turnLines(entry: Entry): string[] {
  switch (entry.type) {
    case 'session-opened':
      return [`opened by ${processText(entry.owner)}`]
    case 'session-resumed':
      return [`resumed by ${processText(entry.owner)}`]
    case 'turn-started':
      return [`turn ${entry.turn}`]
    case 'turn-ended':
      return [`turn ${entry.turn} is saved`]
    case 'tool-started':
      return [`runs ${safeLine(entry.name)}`]
    case 'session-suspended':
      return [`suspended: ${safeLine(entry.detail)}`]
    default:
      return []
  }
}

function doing(decision: { kind: string; at?: number; rule?: string; reason?: string }): string {
  switch (decision.kind) {
    case 'retry':
      return `next try ${iso(decision.at ?? 0)}`
    case 'keep-and-continue':
      return 'kept what was whole'
    case 'repair':
      return `repairing by ${safeLine(decision.rule ?? '')}`
    case 'suspend':
    case 'fail':
      return `told the client: ${safeLine(decision.reason ?? '')}`
    default:
      return decision.kind
  }
}
