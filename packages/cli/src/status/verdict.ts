/**
 * Answers "Is it me or them?" in one line, and names the session that the next command is about. Pure.
 *
 * 1. It rests on what requests from here met: breakers and counts. The status page is quoted, never believed.
 * 2. A session's own troubles (credentials, a spend limit, a refused request), a rate limit, a model that is gone, a
 *    key that all sessions may share and a network that may be at fault here are never called an outage of the API.
 * 3. If nothing was seen, it says so, not "all is well".
 */
import { shellWord, type FaultKind, type StatusReading } from '@lastgood/core'
import { ago, left } from '../durations.ts'
import { counted } from '../numbers.ts'
import { isStoppedByOutage } from '../outages/outage-kinds.ts'
import { mustRephrase, resumeCommandFor, type SessionRow } from '../sessions/session-row.ts'
import { commandLine, safeLine } from '../text.ts'
import { pageWords } from './page-words.ts'
import type { ProviderState } from './provider-state.ts'

export interface StatusReport {
  readonly now: number
  readonly providers: readonly ProviderState[]
  /** What was read, or the setting that turned it off. */
  readonly page: StatusReading | { readonly off: string }
  /** Sessions that wait, are parked or need a person. */
  readonly open: readonly SessionRow[]
}

export interface Verdict {
  readonly kind:
    | 'outage'
    | 'unreachable'
    | 'model-gone'
    | 'login'
    | 'rate-limited'
    | 'needs-input'
    | 'session'
    | 'fine'
    | 'unknown'
  readonly text: string
  /** The next command and its session; absent if there is nothing to do. */
  readonly next?: { readonly command: 'resume' | 'show'; readonly sessionId: string; readonly inDoubt?: true }
}

/** The rows of `open`: sessions that cannot go on, or not now. */
export function openRows(rows: readonly SessionRow[]): SessionRow[] {
  return rows.filter(
    ({ status, isRecoverable, isForWorkers, holder }) =>
      (isRecoverable || isForWorkers || holder) &&
      (status === 'waiting' || status === 'suspended' || status === 'needs-input'),
  )
}

export function verdictOf(report: StatusReport): Verdict {
  const { providers, open } = report
  const down = providers.filter(({ isDown }) => isDown)
  if (down.length > 0) return outage(report, down)
  const held = providers.find(({ heldUntil }) => heldUntil !== undefined)
  if (held) return rateLimited(report, held)
  const asking = open.find(({ status }) => status === 'needs-input')
  if (asking) {
    const text = `Session ${idOf(asking)} needs you: ${reasonOf(asking)}`
    return { kind: 'needs-input', text, next: { ...nextOf(asking), inDoubt: true } }
  }
  return open.length > 0 ? sessionsOnly(report, open) : nothingOpen(report)
}

function outage({ providers, open, now }: StatusReport, down: readonly ProviderState[]): Verdict {
  const answering = providers.filter(({ isDown, last10Min }) => !isDown && last10Min.answered > 0)
  const what = answering.length === 0 ? 'The API' : modelsOf(down)
  const probes = down.flatMap(({ nextProbeAt }) => nextProbeAt ?? [])
  const stopped = open.filter(isStopped).length
  const by = (cause: FaultKind) => down.every((one) => one.cause === cause)
  const [kind, text] = by('transport')
    ? (['unreachable', `${what} cannot be reached from here (this network or theirs)`] as const)
    : by('model-gone')
      ? (['model-gone', `${modelsOf(down)} is gone, or not allowed with this key`] as const)
      : by('auth-outage')
        ? ([
            'login',
            `${what} refuses every login from here (an outage of its own, or the key that all share)`,
          ] as const)
        : (['outage', `${what} is failing for everyone here, not because of your prompt, key or quota`] as const)
  const facts = [
    `${text}: ${waiting(open)}`,
    ...(stopped > 0 ? [`it stopped ${stopped}`] : []),
    probes.length === 0 ? 'a probe is under way' : inTime('next probe', Math.min(...probes), now),
    ...(answering.length > 0 ? [`${modelsOf(answering)} answers`] : []),
  ]
  return { kind, text: facts.join(', '), ...toResume(open) }
}

function rateLimited({ open, now }: StatusReport, { model, heldUntil = now }: ProviderState): Verdict {
  const text = `A rate limit, not an outage: ${safeLine(model)} takes requests again ${inTime('', heldUntil, now).trim()}, ${waiting(open)}`
  return { kind: 'rate-limited', text, ...toResume(open) }
}

/** No breaker is open, yet some sessions do not go on. */
function sessionsOnly(report: StatusReport, open: readonly SessionRow[]): Verdict {
  const [first] = open
  if (!first) return nothingOpen(report)
  const next = nextOf(open.find((row) => row.isRecoverable) ?? first)
  if (answered(report.providers) === 0) {
    if (isRefused(report)) return refused(open, next)
    const who = open.length === 1 ? `Session ${idOf(first)} is` : `${open.length} sessions are`
    const why = open.length === 1 ? ` (${reasonOf(first)})` : ''
    const text = `${who} not continuing${why}, and no request was answered here in the last hour: it may be the API${aside(report)}`
    return { kind: 'unknown', text, next }
  }
  const text =
    open.length === 1
      ? `Only session ${idOf(first)} fails: ${reasonOf(first)}`
      : `The API answers others; ${open.length} sessions are not continuing, each for its own reason`
  return { kind: 'session', text, next }
}

/** The API's last answers were refusals, all of them for the caller to fix. */
function isRefused({ providers }: StatusReport): boolean {
  const faults = providers.flatMap(({ lastFault }) => lastFault ?? [])
  return faults.length > 0 && faults.every(({ kind }) => refusals.has(kind))
}

const refusals: ReadonlySet<FaultKind> = new Set([
  'spend-blocked',
  'auth-blocked',
  'request-rejected',
  'params-incompatible',
  'transcript-invalid',
  'image-rejected',
  'too-large',
  'context-overflow',
] as const)

function refused(open: readonly SessionRow[], next: NonNullable<Verdict['next']>): Verdict {
  const [first] = open
  const text =
    open.length === 1 && first
      ? `No outage: the API refuses session ${idOf(first)}: ${reasonOf(first)}`
      : `No outage: the API refuses ${open.length} sessions, each for a reason it gives`
  return { kind: 'session', text, next }
}

function nothingOpen(report: StatusReport): Verdict {
  const { providers, now } = report
  const count = answered(providers)
  if (count > 0) {
    const failed = providers.reduce((sum, { lastHour }) => sum + lastHour.failed, 0)
    return {
      kind: 'fine',
      text: `The API answers: ${count} of ${counted(count + failed, 'request')} in the last hour`,
    }
  }
  const past = providers.find(({ breaker }) => breaker !== 'closed')
  const last = past?.lastFault ? `; ${safeLine(past.model)} failed on the last try, ${ago(past.lastFault.at, now)}` : ''
  return {
    kind: 'unknown',
    text: `No request was answered here in the last hour, so whether the API answers is unknown${last}${aside(report)}`,
  }
}

/** What the page says, if it says anything. */
function aside({ page }: StatusReport): string {
  const says = 'off' in page ? 'unknown' : pageWords(page).says
  return says === 'unknown' ? '' : `; the status page says: ${says}`
}

/** `resume` for a session that can be resumed from here; else `show`, which says how it stands and how to go on. */
function nextOf({ head, isRecoverable, status }: SessionRow): NonNullable<Verdict['next']> {
  const isUseful = !mustRephrase(head) && (isRecoverable || status === 'needs-input')
  const canResume = head.agent !== undefined && isUseful
  return { command: canResume ? 'resume' : 'show', sessionId: head.sessionId }
}

/** `flags`: of the store. */
export function commandOf({ next }: Verdict, flags: readonly string[]): string | undefined {
  if (!next) return undefined
  const { command, sessionId, inDoubt } = next
  if (command === 'show') return commandLine('lastgood show', shellWord(sessionId), ...flags)
  return resumeCommandFor(sessionId, inDoubt ? [...flags, '--in-doubt report'] : flags)
}

/** The first session that waits, or that an outage stopped, and that no live process will wake. */
function toResume(open: readonly SessionRow[]): Pick<Verdict, 'next'> {
  // No other: a refused request would be refused again.
  const left = open.filter(({ isRecoverable }) => isRecoverable)
  const row = left.find(({ status }) => status === 'waiting') ?? left.find(isStopped)
  return row ? { next: nextOf(row) } : {}
}

const isStopped = ({ head, status }: SessionRow): boolean => status === 'suspended' && isStoppedByOutage(head)

function waiting(open: readonly SessionRow[]): string {
  const count = open.filter(({ status }) => status === 'waiting').length
  return count === 1 ? '1 session waits' : `${count === 0 ? 'no' : count} sessions wait`
}

function answered(providers: readonly ProviderState[]): number {
  return providers.reduce((sum, { lastHour }) => sum + lastHour.answered, 0)
}

export function inTime(what: string, instant: number, now: number): string {
  return instant > now ? `${what} in ${left(instant - now)}` : `${what} now`
}

function modelsOf(providers: readonly ProviderState[]): string {
  return [...new Set(providers.map(({ model }) => safeLine(model)))].join(', ')
}

const idOf = ({ head }: SessionRow): string => safeLine(head.sessionId)
const reasonOf = ({ head }: SessionRow): string => safeLine(head.reason ?? 'no reason was recorded')
