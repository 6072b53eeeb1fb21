/**
 * The tool ledger: side effects happen once, or somebody is told (P2).
 *
 * 1. Intent before effect: `tool-started` is durable before each run of a tool, whatever its rule: a later process may
 *    have another rule for it, a `verify`, or no such tool.
 * 2. Result before use: `tool-finished` is durable before the model can see it.
 * 3. A call that was started is in doubt, unless its answer came to this process and the call was not begun here. Its
 *    tool is asked what came of it, if it can tell; if not, its rule decides (`verdict.ts`). A call without an intent
 *    was never begun, and runs.
 * 4. Each of several parallel calls has its own fate. The last result is staged: it shares an append with the request
 *    that follows.
 */
import type { CallsAtHand } from './calls-at-hand.ts'
import type { Clock } from '../clock.ts'
import { LastgoodError, messageOf } from '../errors.ts'
import type { InDoubtDid, SessionEvent } from './events.ts'
import type { Block, Entry, EntryBody, InDoubt } from '../journal/journal.ts'
import { Effect, inside } from './nesting.ts'
import type { Context, StateName } from '../machine/machine-state.ts'
import { orAborted } from '../or-aborted.ts'
import { copyOf } from '../json.ts'
import { recordable } from './recordable.ts'
import { guardToolResult } from '../repair/request/ingest.ts'
import { inDoubtResult, type ToolCall } from '../journal/transcript.ts'
import { stopSignal } from './stop-signal.ts'
import { judge, type Fate, type Judged, type Verdict } from './verdict.ts'
import type { RunWork } from '../watching/watcher.ts'

export interface ToolContext {
  toolUseId: string
  /** The same for every run of this call, across restarts and imports: hand it to services that recognise repeats. */
  idempotencyKey: string
  /** Aborts when the session is suspended, closed or lost, and when its run is stopped. */
  signal: AbortSignal
}

export interface LedgerTool {
  inDoubt: InDoubt
  /**
   * Runs the call and gives the tool_result block for the model. What it throws becomes an `is_error` result for the
   * model, unless its signal has aborted: a call that was stopped half-way stays in doubt.
   */
  run(input: unknown, context: ToolContext): Promise<Block>
  /**
   * Finds out what came of a call that was started and has no result, without changing anything. When it throws, or has
   * not answered after 30 s (then its signal aborts), the outcome stays unknown. Without it the rule `inDoubt` decides
   * at once.
   */
  verify?(input: unknown, context: ToolContext): Promise<Verdict<Block>>
}

export interface LedgerTools {
  /** The tool of this name, or undefined when there is none (any more). */
  find(name: string): LedgerTool | undefined
  /** Asked for calls in doubt whose rule is `ask`. Without it, or when it says `suspend`, the session is parked. */
  onInDoubt?: (call: { toolUseId: string; name: string; input: unknown }) => Promise<'rerun' | 'report' | 'suspend'>
}

export interface LedgerRun {
  /** Only this call, for a caller that runs it as `effect`; its result is durable at once. Default: every open call. */
  only?: { toolUseId: string; effect: Effect }
  /** Stops the calls; what they had not finished is in doubt. */
  signal?: AbortSignal | undefined
}

/** What the ledger needs of a session. */
export interface LedgerSession {
  readonly id: string
  readonly agent: string | undefined
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly state: StateName
  readonly context: Pick<Context, 'reason'>
  readonly calls: CallsAtHand
  readonly watchers: { run: RunWork }
  readonly transcript: { readonly changes: number; readonly unanswered: readonly ToolCall[] }
  record(bodies: readonly EntryBody[]): Promise<readonly Entry[]>
  stage(bodies: readonly EntryBody[]): Promise<void>
  assertHeld(): Promise<void>
  suspend(reason: 'needs-input', detail: string): Promise<void>
  emit(event: Exclude<SessionEvent, { type: 'entry' }>): void
}

/**
 * Brings every open call of the last response to a result. Returns the `tool_result` blocks as recorded, by call.
 * Errors: `needs-input`, `bad-option` for a call that somebody else in this process is running, and those of `record`.
 */
export async function runToolCalls(
  session: LedgerSession,
  tools: LedgerTools,
  run: LedgerRun = {},
): Promise<ReadonlyMap<string, Block>> {
  const { only } = run
  const signal = stopSignal(session.signal, run.signal)
  const calls = session.transcript.unanswered.filter((call) => only === undefined || call.toolUseId === only.toolUseId)
  const giveBack = session.calls.take(calls.map((call) => call.toolUseId))
  const all: Run = {
    session,
    tools,
    signal,
    answer: session.transcript.changes,
    effectOf: (toolUseId) => only?.effect ?? new Effect(session, callEffectId(toolUseId)),
  }
  try {
    const planned = await plan(calls, all)
    // A tool that ignores the end of the session is not waited for.
    return await orAborted(finishAll(planned, all, only === undefined), session.signal)
  } finally {
    giveBack()
  }
}

/** What all parts of one ledger run share. */
interface Run {
  session: LedgerSession
  tools: LedgerTools
  signal: AbortSignal
  /** The conversation's `changes` at the answer whose calls these are. */
  answer: number
  effectOf(toolUseId: string): Effect
}

/** The id of a call among the effects of its session. */
export const callEffectId = (toolUseId: string): string => `call:${toolUseId}`

interface Planned {
  call: ToolCall
  fate: Exclude<Fate<Block>, { kind: 'suspend' }>
  /** Nobody knows whether it ran before. */
  again: boolean
}

/** The fate of each call; the intents of those that run are durable. */
async function plan(calls: readonly ToolCall[], run: Run): Promise<Planned[]> {
  const judged: { call: ToolCall; again: boolean; fate: Fate<Block>; did?: InDoubtDid }[] = []
  // One after the other: a person can answer one question at a time.
  for (const call of calls) {
    const again = call.state === 'started' && !run.session.calls.isNew(call.toolUseId)
    judged.push({ call, again, ...(again ? await judgeCall(call, run) : { fate: { kind: 'run' } }) })
  }
  const asking = judged.find(({ fate }) => fate.kind === 'suspend')?.call
  for (const { call, fate, did } of judged) {
    // Where a person has to decide about one call, nothing is done about the others yet.
    if (did === undefined || (asking && fate.kind !== 'suspend')) continue
    const { toolUseId, name } = call
    run.session.emit({ type: 'in-doubt', toolUseId, name, did })
  }
  if (asking) throw await parkForInput(run.session, asking)
  const planned = judged.flatMap(({ call, fate, again }) => (fate.kind === 'suspend' ? [] : [{ call, fate, again }]))

  // A call that was handed out with the answer has its intent already.
  const begun = planned.filter(({ call, fate, again }) => fate.kind === 'run' && (again || call.state === 'open'))
  const { session, tools } = run
  const intents = begun.map(({ call }): EntryBody => {
    return { type: 'tool-started', toolUseId: call.toolUseId, name: call.name, inDoubt: ruleOf(call, tools) }
  })
  await session.record(intents).catch((error: unknown) => {
    // Another call, that a person has to decide about, has parked the session meanwhile.
    throw session.state === 'needsInput' ? needsInput(session, session.context.reason ?? '') : error
  })
  return planned
}

async function finishAll(
  planned: readonly Planned[],
  run: Run,
  stagesLast: boolean,
): Promise<ReadonlyMap<string, Block>> {
  const results = new Map<string, Block>()
  const settled = await Promise.allSettled(
    planned.map(async (one) => {
      const { call } = one
      const finished = await finish(one, run)
      // Its answer was taken back meanwhile; another one may have a call of this id.
      if (run.session.transcript.changes !== run.answer) throw tooLate(run.session.id, call)
      results.set(call.toolUseId, finished.result)
      if (stagesLast && results.size === planned.length) await run.session.stage([finished])
      else await run.session.record([finished])
    }),
  )
  const failed = settled.find((one) => one.status === 'rejected')
  if (failed) throw failed.reason
  return results
}

function judgeCall(call: ToolCall, { session, tools, signal }: Run): Promise<Judged<Block>> {
  const { toolUseId, name } = call
  return judge(session.clock, {
    look: (late) => tools.find(name)?.verify?.(inputOf(call), contextOf(call, session.id, late)),
    rule: ruleOf(call, tools),
    ask: () => tools.onInDoubt?.({ toolUseId, name, input: inputOf(call) }),
    signal,
  })
}

/** A copy: a tool that changes its input does not change what the model is told it asked for (P4). */
const inputOf = ({ input }: ToolCall): unknown => copyOf(input)

/** The rule of the code that runs now; `report` for a tool that is gone. */
function ruleOf(call: ToolCall, tools: LedgerTools): InDoubt {
  return tools.find(call.name)?.inDoubt ?? 'report'
}

async function finish(
  { call, fate, again }: Planned,
  { session, tools, signal, effectOf }: Run,
): Promise<Extract<EntryBody, { type: 'tool-finished' }>> {
  const { toolUseId, name } = call
  if (fate.kind === 'done') {
    return { type: 'tool-finished', toolUseId, result: guardToolResult(fate.result), outcome: 'verified' }
  }
  if (fate.kind !== 'run') {
    return { type: 'tool-finished', toolUseId, result: inDoubtResult(toolUseId), outcome: 'in-doubt' }
  }
  const tool = tools.find(name)
  if (!tool) {
    const result = errorResult(toolUseId, `Error: Tool '${name.slice(0, 100)}' not found`)
    return { type: 'tool-finished', toolUseId, result, outcome: 'refused' }
  }
  await session.assertHeld()
  try {
    signal.throwIfAborted()
    session.calls.begin(toolUseId)
    const context = contextOf(call, session.id, signal)
    const work = { kind: 'tool', toolUseId, name, again } as const
    const given = await session.watchers.run(work, () =>
      inside(effectOf(toolUseId), () => tool.run(inputOf(call), context)),
    )
    // What the API would refuse in a history is mended before it becomes part of it.
    const result = recordable(guardToolResult(given), `what tool ${name} returned, which did run,`)
    return { type: 'tool-finished', toolUseId, result, outcome: 'ran' }
  } catch (error) {
    // Stopped half-way: no result is better than a wrong one.
    signal.throwIfAborted()
    const result = errorResult(toolUseId, `Error: ${messageOf(error)}`)
    return { type: 'tool-finished', toolUseId, result, outcome: 'ran' }
  }
}

function contextOf({ toolUseId, startedIn }: ToolCall, sessionId: string, signal: AbortSignal): ToolContext {
  return { toolUseId, idempotencyKey: `${startedIn ?? sessionId}:${toolUseId}`, signal }
}

function errorResult(toolUseId: string, content: string): Block {
  return guardToolResult({ type: 'tool_result', tool_use_id: toolUseId, is_error: true, content })
}

function tooLate(sessionId: string, { toolUseId, name }: ToolCall): LastgoodError {
  return new LastgoodError(
    'journal-conflict',
    `session ${sessionId}: the result of tool call ${toolUseId} (${name}) came after its answer was taken back`,
    { hint: 'open the session again: it continues from what its journal has', details: { sessionId, toolUseId } },
  )
}

async function parkForInput(session: LedgerSession, call: ToolCall): Promise<LastgoodError> {
  const detail = `tool ${call.name} was started and its outcome is unknown`
  await session.suspend('needs-input', detail)
  return needsInput(session, detail, { tool: call.name, toolUseId: call.toolUseId })
}

function needsInput({ agent, id }: LedgerSession, detail: string, call: Record<string, string> = {}): LastgoodError {
  return new LastgoodError('needs-input', `session ${id}: ${detail}`, {
    hint:
      agent === undefined
        ? 'start the program again with an answer: give onInDoubt, or the tool another rule'
        : `decide with: lastgood resume ${id} --in-doubt rerun|report`,
    details: { sessionId: id, ...call },
  })
}
