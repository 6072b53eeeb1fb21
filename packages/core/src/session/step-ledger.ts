/**
 * Steps of a caller's own loop: what `runToolCalls` does for a model's calls, for anything that has an effect (P2).
 *
 * 1. Intent before effect, result before use: both are durable, and asked for again the same step gives its recorded
 *    result. A step whose rule is `rerun` and that has no `verify` needs no intent.
 * 2. A loop that is started again at the same place asks for the same steps; see `step-ids.ts`.
 * 3. A step that was started and has no result is in doubt: `verify` is asked, then the rule decides. The same holds
 *    for a step that has been reported as in doubt.
 * 4. A step with the id of a tool call is that call: its entries are the tool ledger's, its result is the model's.
 */
import { isLastgoodError, LastgoodError, messageOf } from '../errors.ts'
import { inDoubtRules } from '../journal/entry-words.ts'
import type { Block, EntryBody, InDoubt } from '../journal/journal.ts'
import { checksOf, type OptionChecks } from '../option-checks.ts'
import { Effect, inside, waitingFor } from './nesting.ts'
import { orAborted } from '../or-aborted.ts'
import { jsonText } from './recordable.ts'
import { StepIds } from './step-ids.ts'
import { stopSignal } from './stop-signal.ts'
import { toolContent, type ToolContent } from './tool-content.ts'
import { hasOutcome, type RecordedStep, type RecordedSteps } from '../journal/recorded-steps.ts'
import { callEffectId, runToolCalls, type LedgerSession, type ToolContext } from './tool-ledger.ts'
import { judge, type Fate, type Verdict } from './verdict.ts'

export type StepContext = Pick<ToolContext, 'idempotencyKey' | 'signal'>

export interface StepOptions<Result> {
  /** What names the step in this session, up to 200 characters. Default: name, input, and place in the conversation. */
  key?: string
  /** What is done with a step of unknown outcome. Default `report`: not repeated, it fails with `step-in-doubt`. */
  inDoubt?: InDoubt
  /**
   * Finds out what came of a step of unknown outcome, without changing anything. When it throws, or has not answered
   * after 30 s (then its signal aborts), the outcome stays unknown.
   */
  verify?: (input: unknown, context: StepContext) => Promise<Verdict<Result>>
  /** Asked where the rule is `ask`. Default: the session is parked and the error is `needs-input`. */
  onInDoubt?: () => Promise<'rerun' | 'report' | 'suspend'>
  /** Stops the step; it stays in doubt. A step that ignores it is waited for, until the session ends. */
  signal?: AbortSignal
}

export type ToolStepOptions = Omit<StepOptions<ToolContent>, 'key'> & { toolUseId: string }

/** What the steps need of a session. */
export interface StepSession extends LedgerSession {
  readonly transcript: LedgerSession['transcript'] & {
    readonly place: number
    readonly steps: Pick<RecordedSteps, 'of' | 'ofKind' | 'hasLeft'>
    resultOf(toolUseId: string): Block | undefined
  }
}

/** A step of the caller's own, as it was asked for. */
interface Asked<Result> {
  readonly effect: Effect
  readonly name: string
  readonly input: unknown
  readonly run: (context: StepContext) => Promise<Result> | Result
  readonly options: StepOptions<Result>
}

interface Running {
  effect: Effect
  result: Promise<unknown>
}

const optionNames: Record<keyof StepOptions<never> | keyof ToolStepOptions, true> = {
  key: true,
  toolUseId: true,
  inDoubt: true,
  verify: true,
  onInDoubt: true,
  signal: true,
}
const { oneOf, badOption, assertFunctions, assertKnown, assertSignal }: OptionChecks = checksOf('Step')

/** Before anything is recorded: what is wrong here would show only after a crash. Throws `bad-option`. */
function checkStep(run: unknown, options: Partial<Record<keyof typeof optionNames, unknown>>): void {
  if (typeof run !== 'function') throw badOption('run', typeof run, 'a function')
  assertKnown(undefined, options, Object.keys(optionNames))
  const { key, inDoubt, verify, onInDoubt, signal } = options
  if (key !== undefined && typeof key !== 'string') throw badOption('key', typeof key, 'a text')
  if (inDoubt !== undefined) oneOf('inDoubt', inDoubt, inDoubtRules)
  assertFunctions({ verify, onInDoubt })
  assertSignal(signal)
}

export class StepLedger {
  readonly #session: StepSession
  /** By id: a step that is asked for again while it runs is the same step. */
  readonly #running = new Map<string, Running>()
  readonly #ids: StepIds

  constructor(session: StepSession) {
    this.#session = session
    this.#ids = new StepIds(session)
  }

  async run<Result>(
    name: string,
    input: unknown,
    run: (context: StepContext) => Promise<Result> | Result,
    options: StepOptions<Result>,
  ): Promise<Result> {
    checkStep(run, options)
    const { stepId, giveBack } = this.#ids.take(name, input, options.key, (id) => this.#running.has(id))
    try {
      const effect = new Effect(this.#session, stepId)
      const asked = { effect, name, input, run, options }
      return (await this.#once(effect, name, options.signal, () => this.#run(asked))) as Result
    } finally {
      // Asked for again, a step of unknown outcome is the same step, not another of its kind.
      if (!hasOutcome(this.#session.transcript.steps.of(stepId))) giveBack()
    }
  }

  /** The tool_result block of the call, as it is recorded. */
  async runTool(
    name: string,
    input: unknown,
    run: (context: ToolContext) => Promise<ToolContent> | ToolContent,
    options: ToolStepOptions,
  ): Promise<Block> {
    checkStep(run, options)
    const call = new Effect(this.#session, callEffectId(options.toolUseId))
    const block = await this.#once(call, name, options.signal, () => this.#runTool(call, name, run, options))
    return structuredClone(block as Block)
  }

  /** A step that is asked for again while it runs is the same step; `signal` then ends only the wait for it. */
  async #once(
    effect: Effect,
    name: string,
    signal: AbortSignal | undefined,
    begin: () => Promise<unknown>,
  ): Promise<unknown> {
    const refuse = () => waitsForItself(this.#session.id, name)
    const running = this.#running.get(effect.id)
    if (running)
      return waitingFor(running.effect, () => (signal ? orAborted(running.result, signal) : running.result), refuse)
    return waitingFor(
      effect,
      async () => {
        const result = begin()
        this.#running.set(effect.id, { effect, result })
        try {
          return await result
        } finally {
          this.#running.delete(effect.id)
        }
      },
      refuse,
    )
  }

  async #runTool(
    effect: Effect,
    name: string,
    run: (context: ToolContext) => Promise<ToolContent> | ToolContent,
    { toolUseId, inDoubt = 'report', verify, onInDoubt, signal }: ToolStepOptions,
  ): Promise<Block> {
    const session = this.#session
    const known = session.transcript.resultOf(toolUseId)
    if (known) return known
    const call = session.transcript.unanswered.find((one) => one.toolUseId === toolUseId)
    if (!call) throw noSuchCall(session.id, toolUseId)
    if (call.name !== name) throw misnamedCall(session.id, call, name)
    const block = (content: unknown): Block => ({
      type: 'tool_result',
      tool_use_id: toolUseId,
      content: toolContent(content),
    })
    const tool = {
      inDoubt,
      run: async (_input: unknown, context: ToolContext) => block(await run(context)),
      ...(verify && {
        verify: async (input: unknown, context: ToolContext): Promise<Verdict<Block>> => {
          const verdict = await verify(input, context)
          return verdict.kind === 'done' ? { kind: 'done', result: block(verdict.result) } : verdict
        },
      }),
    }
    const tools = { find: () => tool, ...(onInDoubt && { onInDoubt }) }
    const results = await runToolCalls(session, tools, { only: { toolUseId, effect }, signal })
    return results.get(toolUseId) as Block
  }

  async #run<Result>(asked: Asked<Result>): Promise<Result> {
    const session = this.#session
    const { effect, name, run, options } = asked
    const stepId = effect.id
    const signal = stopSignal(session.signal, options.signal)
    const recorded = session.transcript.steps.of(stepId)
    const context: StepContext = { idempotencyKey: `${recorded?.startedIn ?? session.id}:${stepId}`, signal }
    if (recorded?.name !== undefined && recorded.name !== name) throw otherStep(session.id, stepId, recorded.name, name)
    if (hasOutcome(recorded)) return resultOf(recorded) as Result
    const finish = async (body: Omit<Extract<EntryBody, { type: 'step-finished' }>, 'type' | 'stepId' | 'name'>) =>
      void (await session.record([{ type: 'step-finished', stepId, name, ...body }]))

    if (recorded) {
      const fate = await this.#fateOf(asked, context)
      if (fate.kind === 'done') {
        const found = valueOf(fate.result, name)
        await finish({ outcome: 'verified', ...found })
        return found.value as Result
      }
      if (fate.kind === 'report') {
        if (recorded.state === 'started') await finish({ outcome: 'in-doubt' })
        throw inDoubt(session.id, stepId, name)
      }
    }
    signal.throwIfAborted()
    const { inDoubt: rule = 'report', verify } = options
    // A step of unknown outcome records that it begins again, whatever the rule: it keeps its place after a restart.
    if (rule !== 'rerun' || verify || recorded)
      await session.record([{ type: 'step-started', stepId, name, inDoubt: rule }])
    await session.assertHeld()
    let result: Result
    try {
      // A step that ignores the end of the session is not waited for.
      result = await orAborted(
        inside(effect, () => run(context)),
        session.signal,
      )
    } catch (error) {
      signal.throwIfAborted() // stopped half-way: it stays in doubt
      // So does a step inside which lastgood refused something: once that is resolved, the step can finish.
      if (!isLastgoodError(error)) await finish({ outcome: 'failed', value: messageOf(error) })
      throw error
    }
    // As it will be given again: what JSON omits or changes is not part of it.
    const given = valueOf(result, name)
    await finish({ outcome: 'ran', ...given })
    return given.value as Result
  }

  async #fateOf<Result>(
    { effect: { id: stepId }, name, input, options }: Asked<Result>,
    context: StepContext,
  ): Promise<Exclude<Fate<Result>, { kind: 'suspend' }>> {
    const session = this.#session
    const { inDoubt: rule = 'report', verify, onInDoubt } = options
    const { fate, did } = await judge(session.clock, {
      look: (signal) => verify?.(input, { ...context, signal }),
      rule,
      ask: () => onInDoubt?.(),
      signal: context.signal,
    })
    session.emit({ type: 'in-doubt', toolUseId: stepId, name, isStep: true, did })
    if (fate.kind !== 'suspend') return fate
    const detail = `step ${name} was started and its outcome is unknown`
    await session.suspend('needs-input', detail)
    throw new LastgoodError('needs-input', `session ${session.id}: ${detail}`, {
      hint: 'start the program again with an answer: give the step onInDoubt, or another rule',
      details: { sessionId: session.id, step: name, stepId },
    })
  }
}

type Ended = RecordedStep & { state: 'finished' }

/** The result of a recorded step. Errors: what it threw. */
function resultOf(recorded: Ended): unknown {
  if (recorded.outcome === 'failed') throw new Error(String(recorded.value))
  return structuredClone(recorded.value)
}

/** The result as it can be recorded; what JSON cannot express is the caller's mistake, reported after the effect. */
function valueOf(result: unknown, name: string): { value?: unknown } {
  if (result === undefined) return {}
  return {
    value: JSON.parse(jsonText(result, `what step ${name} returned, which did run and is in doubt now,`)) as unknown,
  }
}

function inDoubt(sessionId: string, stepId: string, name: string): LastgoodError {
  return new LastgoodError(
    'step-in-doubt',
    `session ${sessionId}: step ${name} was started before, its outcome is unknown, and it was not repeated`,
    {
      hint: 'check what it did; then run it under another key, or give it verify or inDoubt: rerun',
      details: { sessionId, step: name, stepId },
    },
  )
}

function otherStep(sessionId: string, stepId: string, recorded: string, asked: string): LastgoodError {
  return new LastgoodError('bad-option', `session ${sessionId}: step ${stepId} is ${recorded}, not ${asked}`, {
    hint: 'a key names one step of a session: give this one another key',
    details: { sessionId, stepId },
  })
}

function noSuchCall(sessionId: string, toolUseId: string): LastgoodError {
  return new LastgoodError('bad-option', `session ${sessionId}: the last answer has no tool call ${toolUseId}`, {
    hint: 'run the calls of the last recorded answer: session.transcript.unanswered',
    details: { sessionId, toolUseId },
  })
}

function misnamedCall(sessionId: string, { toolUseId, name }: { toolUseId: string; name: string }, asked: string) {
  return new LastgoodError(
    'bad-option',
    `session ${sessionId}: tool call ${toolUseId} is a call of ${name}, not of ${asked}`,
    {
      hint: 'give a step the name of its call',
      details: { sessionId, toolUseId },
    },
  )
}

function waitsForItself(sessionId: string, name: string): LastgoodError {
  return new LastgoodError('bad-option', `session ${sessionId}: step ${name} would wait for itself`, {
    hint: 'it was requested inside itself, or inside a step that waits for it: give the inner one another key',
  })
}
