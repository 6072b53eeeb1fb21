/**
 * Level 2: lastgood runs the loop, you keep your tools.
 *
 * 1. The loop has no state of its own: each round asks the session what it owes and does that. A new process with the
 *    same session goes on at the same place.
 * 2. What was pinned is sent: system, tools and parameters of the session's envelope, not those of the current code, so
 *    that the prompt cache and thinking signatures survive a redeploy (P4). The code of the tools is the current one.
 */
import {
  assertContent,
  checksOf,
  isLastgoodError,
  LastgoodError,
  readHistory,
  requestFailed,
  runToolCalls,
  type Agent,
  type AssistantMessage,
  type Block,
  type CurrentEnvelope,
  type LedgerTools,
  type Message,
  type OptionChecks,
  type Session,
} from '@lastgood/core'
import { resolveAgent, type AgentOptions } from './agent-options.ts'
import type { AgentClient } from './client.ts'
import { recoverable } from './recovery.ts'

export interface RunOptions {
  /**
   * The number of the turn that this input starts. A turn that has ended is not run again: its recorded reply is
   * returned. An open one goes on, whatever its input was. For programs that are started again after a crash.
   */
  turn?: number
  /** `current` sends the agent's current system, tools and parameters from here on (cold cache). Default `pinned`. */
  envelope?: 'pinned' | 'current'
  /** Asked about tool calls of unknown outcome whose rule is `ask`. Without it the session suspends as needs-input. */
  onInDoubt?: NonNullable<LedgerTools['onInDoubt']>
  /** Stops the run; the turn stays open. A tool that ignores it is waited for until the session ends. */
  signal?: AbortSignal
}

const runOptionNames: Record<keyof RunOptions, true> = { turn: true, envelope: true, onInDoubt: true, signal: true }
const { oneOf, badOption, assertFunctions, assertKnown, assertSignal }: OptionChecks = checksOf('Run')

/** Throws `bad-option`: `turn` under another name would let a turn run twice. */
function checkRun(run: RunOptions): void {
  assertKnown(undefined, run, Object.keys(runOptionNames))
  const { turn, envelope, onInDoubt, signal } = run
  if (turn !== undefined && typeof turn !== 'number') throw badOption('turn', typeof turn, 'the number of a turn')
  if (envelope !== undefined) oneOf('envelope', envelope, ['pinned', 'current'])
  assertFunctions({ onInDoubt })
  assertSignal(signal)
}

export interface Reply {
  /** The number of the turn. */
  turn: number
  /** The text of the turn's last answer. */
  text: string
  /** All blocks of that answer. */
  content: Block[]
  /** That of the last answer: `max_tokens` and `model_context_window_exceeded` say that it is cut. */
  stopReason: string | null
}

export interface CodingAgent extends Agent<string | Block[], Reply, RunOptions | undefined> {
  /** What the agent would send now besides the conversation; absent for an agent that does not say. */
  readonly envelope?: CurrentEnvelope
}

/**
 * An agent whose loop lastgood runs: `session.run(agent, input, options)`. Errors: `bad-option`, here for its options and
 * in `run` for those of the run; `run` also throws `request-failed`, `session-suspended`, `needs-input`, and what the
 * session throws that can no longer record.
 */
export function defineAgent(options: AgentOptions): CodingAgent {
  const { model, rungs, tools, definitions, maxTokens, stream } = resolveAgent(options)
  const body = {
    model,
    max_tokens: maxTokens,
    cache_control: { type: 'ephemeral' },
    ...options.params,
    ...(options.system !== undefined && { system: options.system }),
    ...(definitions.length > 0 && { tools: definitions }),
  }
  const current = { body, betas: [...(options.betas ?? [])] }

  return {
    name: options.name,
    envelope: current,
    async run(session, input, run = {}) {
      checkRun(run)
      // Only this agent's envelope counts: another agent that ran in the session before has its own.
      const isPinned = () => session.envelopeAgent === options.name && run.envelope !== 'current'
      const loop: Loop = { session, run, envelope: () => (isPinned() ? session.envelope : undefined) ?? current }
      try {
        run.signal?.throwIfAborted()
        if (input !== undefined) assertContent(input, 'input')
        const turn = await turnFor(loop, input)
        if (session.hasOpenTurn && turn === session.turn) await finish(loop)
        return await replyOf(session, turn)
      } finally {
        // Makes durable what was only staged when the loop ended.
        if (!session.signal.aborted) await session.record([])
      }
    },
  }

  interface Loop {
    session: Session
    run: RunOptions
    envelope: () => Pick<CurrentEnvelope, 'body' | 'betas'>
  }

  /** The turn that this run is about, started if need be. */
  async function turnFor(loop: Loop, input: string | Block[] | undefined): Promise<number> {
    const { session, run } = loop
    const wanted = run.turn ?? (input === undefined ? session.turn : undefined)
    if (wanted !== undefined && !(Number.isInteger(wanted) && wanted > 0)) throw noSuchTurn(session, wanted)
    if (wanted !== undefined && wanted <= session.lastGoodTurn) return wanted
    if (session.hasOpenTurn && session.agent !== options.name) throw openTurnOf(session, session.agent)
    if (wanted !== undefined && wanted <= session.turn) return wanted
    if (input === undefined || (wanted !== undefined && wanted > session.turn + 1)) throw noSuchTurn(session, wanted)
    const message: Message = { role: 'user', content: input }
    // The same input again, after a crash, continues the turn that it started. With another input that turn ends first.
    if (session.hasOpenTurn && wanted === undefined && session.transcript.wasBegunWith(message)) return session.turn
    if (session.state === 'refused') {
      // The next turn was asked for by number, and this one has not ended.
      if (wanted !== undefined) throw requestFailed(session)
      // What the model or the API refused would be refused again: the new input replaces it.
      await session.rewind(session.lastGoodTurn, 'other words after a refusal')
    }
    if (session.hasOpenTurn) await finish(loop)
    run.signal?.throwIfAborted()
    await session.startTurn([message], options.name)
    return session.turn
  }

  /** Does what the session owes until the turn has ended. */
  async function finish({ session, run, envelope }: Loop): Promise<void> {
    await session.resume()
    const client = recoverable(options.client, session, {
      // An unknown tool has no effect to announce.
      intentOf: (name) => tools.get(name)?.inDoubt,
      record: 'always',
      ladder: rungs,
      ...(options.credentials && { credentials: options.credentials }),
    })
    const ledger: LedgerTools = { find: (name) => tools.get(name), ...(run.onInDoubt && { onInDoubt: run.onInDoubt }) }
    for (;;) {
      run.signal?.throwIfAborted()
      switch (session.owed.kind) {
        case 'send-request':
        case 'wait':
          await send(client, session, envelope(), run.signal)
          break
        case 'run-tools':
          await runToolCalls(session, ledger, { signal: run.signal })
          break
        default:
          return
      }
    }
  }

  async function send(
    client: AgentClient,
    session: Session,
    { body, betas }: ReturnType<Loop['envelope']>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const request = { ...body, messages: session.transcript.conversation(), stream, ...(betas.length > 0 && { betas }) }
    const before = session.seq
    try {
      await session.watchers.run({ kind: 'request' }, async () => {
        const named = { openTelemetry: { conversationId: session.id } }
        const answer = await client.beta.messages.create(
          request as never,
          { ...named, ...(signal && { signal }) } as never,
        )
        // The session records the answer; reading the stream to its end drives that.
        if (stream) for await (const _event of answer as AsyncIterable<unknown>) continue
      })
    } catch (error) {
      session.signal.throwIfAborted()
      signal?.throwIfAborted()
      throw isLastgoodError(error) || !session.isParked ? error : requestFailed(session, error)
    }
    signal?.throwIfAborted()
    session.signal.throwIfAborted()
    if (session.isParked) throw requestFailed(session)
    if (session.seq === before) throw new Error('an answer was read and nothing was recorded')
  }
}

function noSuchTurn(session: Session, turn: number | undefined): LastgoodError {
  return new LastgoodError(
    'bad-option',
    `session ${session.id}: there is no turn${turn === undefined ? '' : ` ${turn}`} to continue`,
    {
      hint: `the next one is turn ${session.turn + 1}, and needs input`,
    },
  )
}

function openTurnOf(session: Session, agent: string | undefined): LastgoodError {
  const whose = agent === undefined ? 'a loop of your own' : `agent ${agent}`
  return new LastgoodError(
    'bad-option',
    `session ${session.id}: turn ${session.turn} is open and belongs to ${whose}`,
    {
      hint: `end it there, or go back: session.rewind(${session.lastGoodTurn}, reason)`,
    },
  )
}

async function replyOf(session: Session, turn: number): Promise<Reply> {
  const { turns, messages } = session.transcript
  const span = turns.find((one) => one.turn === turn)
  const last = span && messages.slice(span.from, span.to).findLast((message) => message.role === 'assistant')
  // A history that was replaced since lacks the answers of earlier turns; the journal has them.
  const recorded = last ? undefined : await recordedAnswer(session, turn)
  const stopReason = (recorded ? recorded.stop_reason : span?.stopReason) ?? null
  const { content: said = [] } = last ?? recorded ?? {}
  const content = structuredClone(Array.isArray(said) ? said : [])
  const text = content.flatMap((block) => (block.type === 'text' ? [String(block['text'])] : [])).join('')
  return { turn, text, content, stopReason }
}

/** The answer that ended a turn, from the journal. */
async function recordedAnswer({ store, id }: Session, turn: number): Promise<AssistantMessage | undefined> {
  let answer: AssistantMessage | undefined
  let last: AssistantMessage | undefined
  for await (const { entry } of readHistory(store, id)) {
    if (entry.type === 'response-received') answer = entry.message
    if (entry.type === 'turn-ended' && entry.turn === turn) last = answer
  }
  return last
}
