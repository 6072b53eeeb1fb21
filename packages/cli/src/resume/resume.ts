/**
 * Resumes a session at its last durable step: finds it, finds its agent, and lets the agent finish what is open.
 *
 * 1. Whatever can fail without touching the session fails first: store, session, holder, configuration, agent.
 * 2. The agent comes from the configuration file, by the name that the session recorded; nothing in the store is run.
 * 3. When the process is asked to stop, the session is suspended with that reason within a second, or not at all; what
 *    was durable before stays durable.
 */
import { LastgoodError, openSession, ownWayOn, type Session, type StatusPagePoller } from '@lastgood/core'
import type { CodingAgent } from '@lastgood/anthropic'
import { setUp, type CommonOptions, type SetUp } from '../common-options.ts'
import { agentNamed, missingConfig } from '../config.ts'
import type { CliContext } from '../context.ts'
import { iso } from '../durations.ts'
import { exitCodes, signalCodes } from '../exit-codes.ts'
import { ConfigError } from '../failure.ts'
import { orLate } from '../or-late.ts'
import { liveRenderer } from '../live/live-renderer.ts'
import { locate, type Located } from '../sessions/locate.ts'
import { resumeCommandFor } from '../sessions/session-row.ts'
import { pageChoice } from '../status/page-choice.ts'
import { jsonLine, safeLine, safeText } from '../text.ts'
import { clientCommand, isClientsAt, messageWords } from '../sessions/client-command.ts'
import { costBefore, isWorthIt, previewLines, previewOf, tellPreview } from './preview.ts'
import { driftLines, driftOf } from './drift.ts'
import { eventLines } from '../live/event-lines.ts'
import { held } from './held.ts'
import { inDoubtAnswer, otherThanAnswered } from './in-doubt-question.ts'
import { tellFailure, tellNothingToDo, tellReply, tellStopped, type EndState, type OutcomeStyle } from './outcome.ts'
import { introduction } from './standing.ts'
import { Stopped, stopSwitch, type StopSwitch } from '../stop.ts'

export interface ResumeOptions extends CommonOptions {
  takeover?: boolean
  maxWaitMs?: number
  inDoubt?: 'rerun' | 'report' | 'ask'
  /** Send today's envelope, not the pinned one. */
  adopt?: boolean
  jsonl?: boolean
  quiet?: boolean
  /** Only show what a resume would do and cost. */
  dryRun?: boolean
  /** Do not ask about the cost. */
  yes?: boolean
  /** False: the status page is not asked. */
  page: boolean
  /** False: no question is asked. */
  input?: boolean
  /** Show what it will do and cost before the session is opened, because it was picked, not named. */
  preview?: boolean
}

/** What the steps of one resume share. */
interface Task {
  readonly context: CliContext
  readonly options: ResumeOptions
  readonly place: SetUp
  readonly stop: StopSwitch
  readonly message: string | undefined
  readonly style: OutcomeStyle
}

/** Returns the exit code; throws if something goes wrong before the session is opened. */
export async function resume(
  context: CliContext,
  argument: string,
  words: readonly string[],
  options: ResumeOptions,
  commands: readonly string[],
): Promise<number> {
  const stop = stopSwitch(context)
  try {
    const place = await stop.orStopped(setUp(context, options, true))
    const located = await stop.orStopped(locate(context, place, argument, commands))
    try {
      const message = messageFrom(words)
      return await goOn({ context, options, place, stop, message, style: styleOf(context, options) }, located)
    } finally {
      await located.opened.close()
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    context.stderr.write('interrupted before anything was changed\n')
    return signalCodes[error.signal]
  } finally {
    stop.dispose()
  }
}

function messageFrom(words: readonly string[]): string | undefined {
  if (words.length === 0) return undefined
  const message = words.join(' ')
  if (message.trim() !== '') return message
  throw new LastgoodError('bad-option', 'the message is empty', { hint: 'leave it out to continue the open turn' })
}

function styleOf({ stdout, stderr }: CliContext, { json, jsonl, quiet }: ResumeOptions): OutcomeStyle {
  const wasShown = !quiet && stdout.isTTY === true && stderr.isTTY === true
  return { json: json === true || jsonl === true, quiet: quiet === true, wasShown }
}

async function goOn(task: Task, located: Located): Promise<number> {
  const { context, options, style, stop, message } = task
  const { head, holder } = located.row
  const command = clientCommand(head, task.place.flags, message)
  const isTheirs = command !== undefined && isClientsAt(head, task.place)
  // A gateway that holds a client's session hands it over to the gateway through which the client returns.
  if (holder && !options.takeover && !isTheirs) throw held(holder, head, context.clock.now(), task.place.flags)
  if (!style.quiet) tellAll(context, introduction(located, context.cwd))
  if (isTheirs) {
    if (style.json) {
      const document = { schema: 'lastgood.client-session/v1', sessionId: head.sessionId, agent: head.agent, command }
      context.stdout.write(jsonLine(document))
    } else {
      if (!style.quiet) context.stderr.write(`${safeLine(head.agent ?? '')} continues its session itself:\n`)
      context.stdout.write(`${command}\n`)
    }
    return exitCodes.done
  }
  if (head.status === 'idle' && message === undefined)
    return tellNothingToDo(context, endOf(task, located, head), style)
  if (head.agent === undefined) throw withoutAgent(head.sessionId)
  if (options.dryRun) {
    const prices = task.place.config()?.config.prices
    const preview = await stop.orStopped(previewOf(located.opened.store, head.sessionId, context.clock.now(), prices))
    const same = endOf(task, located, head, message)
    tellPreview(context, head.sessionId, preview, { command: same.commandWith(), json: style.json })
    return exitCodes.done
  }
  const agent = await stop.orStopped(agentOf(task, located))
  if (!(await stop.orStopped(isWorthIt(context, located, options, task.place.config()?.config)))) return exitCodes.done
  const page = pageChoice(context, located.opened.store, options.page, task.place)
  const opening = open(task, located)
  const session = await stop.orStopped(opening).catch(async (error: unknown) => {
    // It may still be opened after we stopped waiting: then its lease is given back.
    if (error instanceof Stopped) void opening.then((late) => late.close()).catch(() => {})
    throw error
  })
  return run(task, located, session, agent, 'poller' in page ? page.poller : undefined)
}

async function agentOf({ context, place }: Task, { row }: Located): Promise<CodingAgent> {
  const { agent: name, sessionId } = row.head
  if (name === undefined) throw withoutAgent(sessionId)
  const loaded = place.config()
  if (!loaded) throw missingConfig(context, name)
  return agentNamed(name, loaded)
}

function withoutAgent(sessionId: string): ConfigError {
  return new ConfigError(`session ${sessionId} was not run by an agent of a configuration file`, {
    hint: ownWayOn(sessionId),
  })
}

function open({ context, options, place }: Task, { row, opened }: Located): Promise<Session> {
  const { clock } = context
  const { maxWaitMs, takeover = false } = options
  const { policy, machineVersion } = place.config()?.config ?? {}
  const asked = { ...policy, ...(maxWaitMs !== undefined && { horizonMs: maxWaitMs }) }
  return openSession(row.head.sessionId, {
    store: opened.store,
    clock,
    takeover,
    ...(machineVersion !== undefined && { machineVersion }),
    policy: asked,
  })
}

async function run(
  task: Task,
  located: Located,
  session: Session,
  agent: CodingAgent,
  page: StatusPagePoller | undefined,
): Promise<number> {
  const { context, options, style, stop, message } = task
  const now = context.clock.now()
  const drift = driftOf(session, agent)
  const cost = costBefore(session.transcript, now, task.place.config()?.config.prices)
  if (!style.quiet) {
    const stands = options.preview ? [] : previewLines(session, cost, now)
    tellAll(context, [...stands, ...driftLines(agent.name, drift, options.adopt === true)])
  }
  const follow = follower(task, session, page)
  const adopted = options.adopt === true
  // The same message again, after a crash: the open turn already has it.
  const isRecorded =
    message !== undefined && session.hasOpenTurn && session.transcript.wasBegunWith({ role: 'user', content: message })
  let pending = isRecorded ? undefined : message
  session.subscribe((event) => {
    if (event.type === 'entry' && event.entry.type === 'turn-started') pending = undefined
  })
  const end = () => ({
    ...endOf(task, located, session, pending),
    ...(drift.length > 0 && { drift: { changes: drift, adopted } }),
  })
  try {
    assertDueWithin(session, options.maxWaitMs, now)
    const onInDoubt = inDoubtAnswer(context, options)
    const envelope = options.adopt ? { envelope: 'current' as const } : {}
    const reply = await stop.orStopped(session.run(agent, message, { ...(onInDoubt && { onInDoubt }), ...envelope }))
    pending = undefined
    await closed(context, session)
    follow.stop()
    return tellReply(context, end(), reply, style)
  } catch (error) {
    follow.stop()
    if (error instanceof Stopped) {
      // The turn may begin meanwhile, so `end` comes after this.
      const trouble = await suspended(context, session, error)
      return tellStopped(context, end(), style, error.signal, trouble)
    }
    await closed(context, session)
    return tellFailure(context, end(), style, error)
  }
}

/** Shows the session's events, as lines for people or for programs. */
function follower(
  { context, options, style }: Task,
  session: Session,
  page: StatusPagePoller | undefined,
): { stop(): void } {
  const { stderr: output, clock, env } = context
  const renderer = style.quiet
    ? undefined
    : liveRenderer({ output, clock, env, color: options.color, page, from: session })
  const notes = new Set<string>()
  const unsubscribe = [
    session.subscribe((event) => {
      const note = otherThanAnswered(options, event)
      if (note !== undefined) notes.add(note)
    }),
    renderer && session.subscribe((event) => renderer.onEvent(event)),
    options.jsonl && session.subscribe(eventLines(context.stdout, session.id)),
  ]
  return {
    stop() {
      for (const one of unsubscribe) if (one) one()
      renderer?.stop()
      if (!style.quiet) tellAll(context, [...notes])
    },
  }
}

/** A wait armed before this process still holds; if it ends after the deadline, there is no point in staying. */
function assertDueWithin({ id, owed, context }: Session, maxWaitMs: number | undefined, now: number): void {
  if (maxWaitMs === undefined || owed.kind !== 'wait' || owed.until - now <= maxWaitMs) return
  throw new LastgoodError(
    'session-suspended',
    `session ${id} waits until ${iso(owed.until)}, longer than --max-wait (${context.reason ?? 'a fault'})`,
    { hint: 'come back then', details: { sessionId: id, retryAt: owed.until } },
  )
}

/** How long suspending may take before the process exits without it. */
const suspendMs = 700

/** Suspends the session because the process ends; returns what went wrong with that. */
async function suspended({ clock }: CliContext, session: Session, stopped: Stopped): Promise<string | undefined> {
  const parked = session.owed.kind === 'rest' ? session.close() : session.suspend('interrupted', stopped.message)
  try {
    await orLate(clock, suspendMs, parked, () => {
      throw new Error('the store did not answer in time')
    })
    return undefined
  } catch (error) {
    return `this stop could not be recorded: ${(error as Error).message}. What was saved before stays saved`
  }
}

/** Gives the lease back. If that fails, the session has not failed: the lease expires by itself. */
async function closed({ stderr }: CliContext, session: Session): Promise<void> {
  try {
    await session.close()
  } catch (error) {
    stderr.write(`note: the lease could not be released and expires by itself: ${safeLine((error as Error).message)}\n`)
  }
}

function endOf(
  { place }: Task,
  { row, opened }: Located,
  { turn, lastGoodTurn }: Pick<Session, 'turn' | 'lastGoodTurn'>,
  pending?: string,
): EndState {
  const { sessionId, agent } = row.head
  const commandWith = (...flags: string[]) =>
    [resumeCommandFor(sessionId, [...place.flags, ...flags]), ...messageWords(pending)].join(' ')
  const isPending = pending !== undefined
  return { sessionId, store: opened.store.location, agent, turn, lastGoodTurn, isPending, commandWith }
}

function tellAll({ stderr }: CliContext, lines: readonly string[]): void {
  for (const line of lines) stderr.write(`${safeText(line)}\n`)
}
