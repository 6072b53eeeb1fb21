/**
 * How a resume ended, for people and for programs. If the session can be resumed again, the last line is the command
 * that does it.
 */
import type { Reply } from '@lastgood/anthropic'
import { isLastgoodError, isToRephrase, ownWayOn, type EnvelopeChange, type LastgoodError } from '@lastgood/core'
import type { CliContext, StopSignal } from '../context.ts'
import { isoOrNull, left } from '../durations.ts'
import { exitCodes, signalCodes } from '../exit-codes.ts'
import { failureJson, failureOf, writeFailure } from '../failure.ts'
import { savedAt } from '../live/outage-line.ts'
import { ownWords, rephrase } from '../sessions/session-row.ts'
import { jsonLine, safeLine, safeText } from '../text.ts'

/** What is known of the session when the resume ends. */
export interface EndState {
  readonly sessionId: string
  readonly store: string
  readonly agent: string | undefined
  readonly turn: number
  readonly lastGoodTurn: number
  /** A message has not become a turn yet: only the command holds it. */
  readonly isPending: boolean
  /** The command that resumes the session, with more flags. */
  readonly commandWith: (...flags: string[]) => string
  /** How today's agent differs from what is pinned; absent if it does not. */
  readonly drift?: { readonly changes: readonly EnvelopeChange[]; readonly adopted: boolean }
}

export interface OutcomeStyle {
  readonly json: boolean
  readonly quiet: boolean
  /** Live output already showed the reply to the reader. */
  readonly wasShown: boolean
}

export function tellReply(context: CliContext, end: EndState, reply: Reply, { json, wasShown }: OutcomeStyle): number {
  const { turn, text } = reply
  if (json) document(context, end, { state: 'done', turn, text, exitCode: exitCodes.done })
  else if (!wasShown && text !== '') context.stdout.write(`${safeText(text)}\n`)
  return exitCodes.done
}

export function tellNothingToDo(context: CliContext, end: EndState, { json, quiet }: OutcomeStyle): number {
  if (json) document(context, end, { state: 'nothing-to-do', exitCode: exitCodes.done })
  else if (!quiet) {
    const next = end.agent === undefined ? ownWayOn(end.sessionId) : `${end.commandWith()} "<message>"`
    const turns = end.lastGoodTurn === 0 ? 'no turn was started' : `turn ${end.lastGoodTurn} has ended`
    context.stderr.write(`nothing to continue: ${turns}. A new turn: ${next}\n`)
  }
  return exitCodes.done
}

export function tellStopped(
  context: CliContext,
  end: EndState,
  { json }: OutcomeStyle,
  signal: StopSignal,
  trouble?: string,
): number {
  const exitCode = signalCodes[signal]
  const { stderr } = context
  if (trouble !== undefined) stderr.write(`note: ${safeLine(trouble)}\n`)
  stderr.write(`interrupted: ${savedOf(end)}; continue with\n${end.commandWith()}\n`)
  if (json) document(context, end, { state: 'interrupted', signal, exitCode })
  return exitCode
}

/** Every other end. `dueAt` is the instant of the next try, if there is one. */
export function tellFailure(context: CliContext, end: EndState, { json }: OutcomeStyle, error: unknown): number {
  const failure = failureOf(error, context.argv)
  const { code, details, exitCode } = failure
  const dueAt = typeof details['retryAt'] === 'number' ? details['retryAt'] : undefined
  const ways = wayOn(error, end, dueAt, context.clock.now())
  writeFailure(context, ways ? { ...failure, hint: undefined } : failure)
  if (ways) context.stderr.write(`  ${ways.text}\n${ways.command}\n`)
  const state = code === 'session-suspended' ? 'suspended' : code === 'needs-input' ? 'needs-input' : 'failed'
  if (json) document(context, end, { state, retryAt: isoOrNull(dueAt), ...failureJson(failure) })
  return exitCode
}

/** The command that goes on, if there is one, and the text before it. */
function wayOn(
  error: unknown,
  end: EndState,
  dueAt: number | undefined,
  now: number,
): { text: string; command: string } | undefined {
  const saved = savedOf(end)
  if (isLastgoodError(error, 'needs-input')) {
    const text = `${saved}; decide: --in-doubt rerun repeats the call, --in-doubt report tells the model it is unknown`
    return { text, command: end.commandWith('--in-doubt report') }
  }
  if (!isLastgoodError(error, 'session-suspended') && !isLastgoodError(error, 'request-failed')) return undefined
  // A message that is not recorded replaces a turn that was refused.
  if (!end.isPending && wantsOtherWords(error)) {
    return { text: `${saved}; ${rephrase}`, command: `${end.commandWith()} ${ownWords}` }
  }
  const when = dueAt !== undefined && dueAt > now ? `in ${left(dueAt - now)} or later` : 'once that is fixed'
  return { text: `${saved}; ${when}, continue with`, command: end.commandWith() }
}

function wantsOtherWords({ code, details: { fault = null } }: LastgoodError): boolean {
  // A session is suspended without a fault when something else than a request has stopped it.
  return (fault !== null || code === 'request-failed') && isToRephrase(fault as string | null)
}

function savedOf({ lastGoodTurn, isPending }: EndState): string {
  return `${savedAt(lastGoodTurn)}${isPending ? '; the new message is not recorded yet, only in the command' : ''}`
}

function document({ stdout }: CliContext, end: EndState, outcome: object): void {
  const { commandWith, isPending, agent = null, ...known } = end
  const command = agent === null ? null : commandWith()
  const document = { schema: 'lastgood.resume/v1', ...known, agent, messagePending: isPending, command, ...outcome }
  stdout.write(jsonLine(document))
}
