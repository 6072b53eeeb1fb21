/**
 * Steps of a loop of one's own: what `runToolCalls` does for the calls of a model, for anything that has an effect (P2).
 *
 * 1. Intent before effect, result before use: both are durable, and asked again the same step gives its recorded result.
 * 2. A step is known by the caller's key, for as long as the session lives; without one, by its name, its input and
 *    where the conversation stood, so that a loop that is started again there asks for the same steps.
 * 3. A step that was started and has no result is in doubt: `verify` is asked, then the rule decides.
 * 4. A step with the id of a tool call is that call: its entries are the tool ledger's, its result is the model's.
 */
import { createHash } from 'node:crypto'
import { LastgoodError } from './errors.ts'
import type { Block, EntryBody, InDoubt } from './journal.ts'
import { inDoubtResult, type RecordedStep } from './transcript.ts'
import { runToolCalls, type LedgerSession, type ToolContext, type Verdict } from './tool-ledger.ts'

export type StepContext = Pick<ToolContext, 'idempotencyKey' | 'signal'>

export interface StepOptions<Result> {
  /** What names the step in this session, up to 200 characters. Default: name, input, and place in the conversation. */
  key?: string
  /** What is done with a step of unknown outcome. Default `report`: the error `step-in-doubt`, and it is not repeated. */
  inDoubt?: InDoubt
  /** Looks what came of a step of unknown outcome, without changing anything. When it throws, nothing was found out. */
  verify?: (input: unknown, context: StepContext) => Promise<Verdict<Result>>
  /** Asked where the rule is `ask`. Default: the session is parked and the error is `needs-input`. */
  onInDoubt?: () => Promise<'rerun' | 'report' | 'suspend'>
  /** Stops the step; it stays in doubt. */
  signal?: AbortSignal
}

/** What a tool gives the model: text, or content blocks. */
export type ToolContent = string | Block[]
export type ToolStepOptions = Omit<StepOptions<ToolContent>, 'key'> & { toolUseId: string }

/** What the steps need of a session. */
export interface StepSession extends LedgerSession {
  readonly transcript: LedgerSession['transcript'] & {
    readonly messages: readonly unknown[]
    stepOf(stepId: string): RecordedStep | undefined
    resultOf(toolUseId: string): Block | undefined
  }
  /** Whether the call came to this object and nobody has begun it; true once. */
  takeCall(toolUseId: string): boolean
}

export class StepLedger {
  readonly #session: StepSession
  /** By id: a step that is asked for again while it runs is the same step. */
  readonly #running = new Map<string, Promise<unknown>>()
  /** How often steps without a key were asked for where the conversation stands, after so many messages. */
  readonly #asked = new Map<string, number>()
  #askedAfter = 0

  constructor(session: StepSession) {
    this.#session = session
  }

  async run<Result>(
    name: string,
    input: unknown,
    run: (context: StepContext) => Promise<Result> | Result,
    options: StepOptions<Result>,
  ): Promise<Result> {
    const stepId = this.#idOf(name, input, options.key)
    const running = this.#running.get(stepId)
    if (running) return running as Promise<Result>
    const step = this.#run(stepId, name, input, run, options)
    this.#running.set(stepId, step)
    const ended = () => void this.#running.delete(stepId)
    step.then(ended, ended)
    return step
  }

  /** The tool_result block of the call, as it is recorded. Asked for again while it runs, it is the same call. */
  async runTool(
    name: string,
    input: unknown,
    run: (context: ToolContext) => Promise<ToolContent> | ToolContent,
    options: ToolStepOptions,
  ): Promise<Block> {
    const running = this.#running.get(`call:${options.toolUseId}`)
    if (running) return structuredClone((await running) as Block)
    const call = this.#runTool(name, input, run, options)
    this.#running.set(`call:${options.toolUseId}`, call)
    const ended = () => void this.#running.delete(`call:${options.toolUseId}`)
    call.then(ended, ended)
    return call
  }

  async #runTool(
    name: string,
    input: unknown,
    run: (context: ToolContext) => Promise<ToolContent> | ToolContent,
    { toolUseId, inDoubt = 'report', verify, onInDoubt, signal }: ToolStepOptions,
  ): Promise<Block> {
    const session = this.#session
    const known = session.transcript.resultOf(toolUseId)
    if (known) return structuredClone(known)
    const call = session.transcript.unanswered.find((one) => one.toolUseId === toolUseId)
    if (!call) throw noSuchCall(session.id, toolUseId)
    const block = (content: ToolContent): Block => ({ type: 'tool_result', tool_use_id: toolUseId, content })
    const only: LedgerSession = {
      id: session.id,
      signal: session.signal,
      transcript: { unanswered: [call] },
      record: (bodies) => session.record(bodies),
      // Nobody knows when the next request comes: the result is durable at once.
      stage: async (body) => void (await session.record([body])),
      suspend: (reason, detail) => session.suspend(reason, detail),
      emit: (event) => session.emit(event),
    }
    const tool = {
      inDoubt,
      run: async (_input: unknown, context: ToolContext) => block(await run(context)),
      ...(verify && {
        verify: async (_input: unknown, context: ToolContext): Promise<Verdict<Block>> => {
          const verdict = await verify(input, context)
          return verdict.kind === 'done' ? { kind: 'done', result: block(verdict.result) } : verdict
        },
      }),
    }
    // Before the call is taken: what was stopped before it began is not in doubt.
    signal?.throwIfAborted()
    const handedOut = new Set(session.takeCall(toolUseId) ? [toolUseId] : [])
    const tools = { find: (wanted: string) => (wanted === name ? tool : undefined), ...(onInDoubt && { onInDoubt }) }
    await runToolCalls(only, tools, { handedOut, signal })
    return structuredClone(session.transcript.resultOf(toolUseId) ?? inDoubtResult(toolUseId))
  }

  async #run<Result>(
    stepId: string,
    name: string,
    input: unknown,
    run: (context: StepContext) => Promise<Result> | Result,
    options: StepOptions<Result>,
  ): Promise<Result> {
    const session = this.#session
    const signal = options.signal ? AbortSignal.any([options.signal, session.signal]) : session.signal
    const context: StepContext = { idempotencyKey: `${session.id}:${stepId}`, signal }
    const recorded = session.transcript.stepOf(stepId)
    if (recorded?.state === 'finished') return resultOf(recorded, session.id, stepId, name) as Result
    const finish = async (body: Omit<Extract<EntryBody, { type: 'step-finished' }>, 'type' | 'stepId'>) =>
      void (await session.record([{ type: 'step-finished', stepId, ...body }]))

    if (recorded?.state === 'started') {
      const fate = await this.#fateOf(stepId, name, input, context, options)
      if (fate.kind === 'done') {
        await finish({ outcome: 'verified', ...valueOf(fate.result, name) })
        return fate.result
      }
      if (fate.kind === 'report') {
        await finish({ outcome: 'in-doubt' })
        throw inDoubt(session.id, stepId, name)
      }
    }
    signal.throwIfAborted()
    const { inDoubt: rule = 'report' } = options
    if (rule !== 'rerun') await session.record([{ type: 'step-started', stepId, name, inDoubt: rule }])
    let result: Result
    try {
      result = await run(context)
    } catch (error) {
      signal.throwIfAborted() // stopped half-way: it stays in doubt
      await finish({ outcome: 'failed', value: error instanceof Error ? error.message : String(error) })
      throw error
    }
    await finish({ outcome: 'ran', ...valueOf(result, name) })
    return result
  }

  async #fateOf<Result>(
    stepId: string,
    name: string,
    input: unknown,
    context: StepContext,
    { inDoubt: rule = 'report', verify, onInDoubt }: StepOptions<Result>,
  ): Promise<{ kind: 'done'; result: Result } | { kind: 'run' } | { kind: 'report' }> {
    const session = this.#session
    const verdict = await this.#verdictOn(input, context, verify)
    const told = { type: 'in-doubt', toolUseId: stepId, name } as const
    if (verdict.kind !== 'unknown') session.emit({ ...told, did: `verified-${verdict.kind}` })
    if (verdict.kind === 'done') return verdict
    if (verdict.kind === 'not-done') return { kind: 'run' }
    const answer = rule === 'ask' ? ((await onInDoubt?.()) ?? 'suspend') : rule
    session.emit({ ...told, did: answer === 'rerun' ? 'rerun' : answer === 'report' ? 'reported' : 'parked' })
    if (answer !== 'suspend') return { kind: answer === 'rerun' ? 'run' : 'report' }
    const detail = `step ${name} was started and its outcome is unknown`
    await session.suspend('needs-input', detail)
    throw new LastgoodError('needs-input', `session ${session.id}: ${detail}`, {
      hint: 'start the program again with an answer: give the step onInDoubt, or another rule',
      details: { sessionId: session.id, step: name, stepId },
    })
  }

  async #verdictOn<Result>(
    input: unknown,
    context: StepContext,
    verify: StepOptions<Result>['verify'],
  ): Promise<Verdict<Result>> {
    try {
      return (await verify?.(input, context)) ?? { kind: 'unknown' }
    } catch {
      context.signal.throwIfAborted()
      return { kind: 'unknown' } // a look that failed says nothing of the step
    }
  }

  #idOf(name: string, input: unknown, key: string | undefined): string {
    if (key !== undefined) {
      if (key.length > 0 && key.length <= 200) return `key:${key}`
      throw new LastgoodError('bad-option', `the key of a step has 1 to 200 characters, got ${key.length}`, {
        hint: 'use a short, stable name: an issue number, a file, a commit',
      })
    }
    const digest = createHash('sha256')
      .update(JSON.stringify([name, input]) ?? '')
      .digest('hex')
      .slice(0, 16)
    const after = this.#session.transcript.messages.length
    if (after !== this.#askedAfter) this.#asked.clear()
    this.#askedAfter = after
    const place = `${after}:${name}:${digest}`
    const before = this.#asked.get(place) ?? 0
    this.#asked.set(place, before + 1)
    return `${place}:${before}`
  }
}

/** Of a recorded step. Errors: what it threw, and `step-in-doubt`. */
function resultOf(
  recorded: RecordedStep & { state: 'finished' },
  sessionId: string,
  stepId: string,
  name: string,
): unknown {
  if (recorded.outcome === 'in-doubt') throw inDoubt(sessionId, stepId, name)
  if (recorded.outcome === 'failed') throw new Error(String(recorded.value))
  return structuredClone(recorded.value)
}

/** The result as it can be recorded; what JSON has no word for is a mistake of the caller, told after the effect. */
function valueOf(result: unknown, name: string): { value?: unknown } {
  if (result === undefined) return {}
  const text = JSON.stringify(result) as string | undefined
  if (text !== undefined) return { value: JSON.parse(text) as unknown }
  throw new LastgoodError('bad-option', `step ${name} returned what JSON has no word for`, {
    hint: 'return a JSON value, or nothing; the step did run, and is in doubt now',
  })
}

function inDoubt(sessionId: string, stepId: string, name: string): LastgoodError {
  return new LastgoodError(
    'step-in-doubt',
    `session ${sessionId}: step ${name} was started before, its outcome is unknown, and it was not repeated`,
    {
      hint: 'look what it did; then ask for it under another key, or give it verify or inDoubt: rerun',
      details: { sessionId, step: name, stepId },
    },
  )
}

function noSuchCall(sessionId: string, toolUseId: string): LastgoodError {
  return new LastgoodError('bad-option', `session ${sessionId}: the last answer has no tool call ${toolUseId}`, {
    hint: 'run the calls of the last recorded answer: session.transcript.unanswered',
    details: { sessionId, toolUseId },
  })
}
