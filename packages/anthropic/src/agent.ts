/**
 * Level 2: lastgood runs the loop, you keep your tools.
 *
 * 1. The loop has no state of its own: each round asks the session what it owes and does that. A new process that asks
 *    the same session goes on at the same place.
 * 2. What was pinned is sent: system, tools and parameters of the session's envelope, not those of today's code, so
 *    that the prompt cache and thinking signatures survive a redeploy (P4). The tools' code is today's.
 */
import type { Anthropic } from '@anthropic-ai/sdk'
import {
  isLastgoodError,
  LastgoodError,
  runToolCalls,
  type Agent,
  type Block,
  type InDoubt,
  type LedgerTools,
  type Message,
  type Session,
} from '@lastgood/core'
import { recoverable } from './recovery.ts'
import { fromRunnableTool, type AgentTool, type RunnableTool } from './tool.ts'

export interface AgentOptions {
  /** Recorded with each turn; `resume` finds the agent by it. */
  name: string
  client: Anthropic
  model: string
  system?: string | Block[]
  /** Made by `tool`, or runnable tools of the SDK. */
  tools?: readonly (AgentTool | RunnableTool)[]
  /** Rules for the SDK's tools, by name, where `report` is not right. */
  inDoubt?: Readonly<Record<string, InDoubt>>
  /** `max_tokens` of each request. Default 32,000. */
  maxTokens?: number
  /** Whether answers stream, so that words can be shown as they come. Default true. */
  stream?: boolean
  /** Anything else of a request's body: `thinking`, `output_config`, `metadata`. Default: automatic prompt caching. */
  params?: Readonly<Record<string, unknown>>
  /** Values of the `anthropic-beta` header. */
  betas?: readonly string[]
}

export interface RunOptions {
  /** The number of this turn: a turn that has ended is not run again, its recorded reply is returned. */
  turn?: number
  /** Send today's system, tools and parameters from this turn on, and pay for a cold cache. Default `pinned`. */
  envelope?: 'pinned' | 'current'
  /** Asked about tool calls of unknown outcome whose rule is `ask`. Without it the session is parked. */
  onInDoubt?: NonNullable<LedgerTools['onInDoubt']>
  /** Stops the run; the turn stays open. */
  signal?: AbortSignal
}

export interface Reply {
  turn: number
  /** The text of the turn's last answer. */
  text: string
  content: Block[]
}

export type CodingAgent = Agent<string | Block[], Reply, RunOptions | undefined>

export function defineAgent(options: AgentOptions): CodingAgent {
  const tools = new Map((options.tools ?? []).map((one) => byName(one, options.inDoubt)))
  const body = {
    model: options.model,
    max_tokens: options.maxTokens ?? 32_000,
    cache_control: { type: 'ephemeral' },
    ...options.params,
    ...(options.system !== undefined && { system: options.system }),
    ...(tools.size > 0 && { tools: [...tools.values()].map((one) => one.definition) }),
  }
  const current = { body, betas: [...(options.betas ?? [])] }

  return {
    name: options.name,
    async run(session, input, run = {}) {
      if (run.turn !== undefined && run.turn <= session.lastGoodTurn) return replyOf(session, run.turn)
      await session.resume()
      const pinned = () => (run.envelope === 'current' ? current : (session.envelope ?? current))
      if (input !== undefined) {
        const message: Message = { role: 'user', content: input }
        // The same line again, after a crash: the turn that it began goes on. Another one: first that one ends.
        if (session.owed.kind !== 'rest' && isOpenedBy(session, message)) input = undefined
        else if (session.owed.kind !== 'rest') await finish(session, pinned, run)
        if (input !== undefined) await session.startTurn([message], options.name)
      }
      await finish(session, pinned, run)
      return replyOf(session, session.lastGoodTurn)
    },
  }

  type Pinned = () => { body: Record<string, unknown>; betas: readonly string[] }

  /** Does what the session owes until it owes nothing. */
  async function finish(session: Session, pinned: Pinned, run: RunOptions): Promise<void> {
    const client = recoverable(options.client, session, {
      intentOf: (name) => ruleFor(tools.get(name)),
    })
    const ledger: LedgerTools = { find: (name) => tools.get(name), ...(run.onInDoubt && { onInDoubt: run.onInDoubt }) }
    for (;;) {
      run.signal?.throwIfAborted()
      switch (session.owed.kind) {
        case 'send-request':
        case 'wait':
          await send(client, session, pinned(), run.signal)
          break
        case 'run-tools':
          await runToolCalls(session, ledger)
          break
        default:
          return
      }
    }
  }

  async function send(client: Anthropic, session: Session, { body, betas }: ReturnType<Pinned>, signal?: AbortSignal) {
    const { stream = true } = options
    const request = { ...body, messages: session.transcript.conversation(), stream, ...(betas.length > 0 && { betas }) }
    const before = session.seq
    try {
      const answer = await client.beta.messages.create(request as never, signal ? { signal } : {})
      // The session has the answer; reading the stream to its end is what drives it.
      if (stream) for await (const _event of answer as unknown as AsyncIterable<unknown>) continue
    } catch (error) {
      session.signal.throwIfAborted()
      signal?.throwIfAborted()
      if (isLastgoodError(error) || !session.isParked) throw error
      throw new LastgoodError('request-failed', `session ${session.id}: ${session.context.reason ?? 'refused'}`, {
        hint: `saved at turn ${session.lastGoodTurn}; once mended: lastgood resume ${session.id}`,
        cause: error,
      })
    }
    signal?.throwIfAborted()
    session.signal.throwIfAborted()
    if (session.seq === before) throw new Error('an answer was read and nothing was recorded')
  }
}

function byName(one: AgentTool | RunnableTool, rules: AgentOptions['inDoubt'] = {}): [string, AgentTool] {
  if ('definition' in one) return [one.definition.name, one]
  return [one.name, fromRunnableTool(one, rules[one.name] ?? 'report')]
}

/** Tools that are safe to repeat need no intent; one that does not exist has no effect to announce. */
function ruleFor(found: AgentTool | undefined): InDoubt | undefined {
  return found && found.inDoubt !== 'rerun' ? found.inDoubt : undefined
}

function isOpenedBy(session: Session, message: Message): boolean {
  const span = session.transcript.turns.at(-1)
  return span !== undefined && JSON.stringify(session.transcript.messages[span.from]) === JSON.stringify(message)
}

function replyOf(session: Session, turn: number): Reply {
  const { turns, messages } = session.transcript
  const span = turns.find((one) => one.turn === turn)
  const last = span && messages.slice(span.from, span.to).findLast((message) => message.role === 'assistant')
  const content = structuredClone(Array.isArray(last?.content) ? last.content : [])
  const text = content.flatMap((block) => (block.type === 'text' ? [String(block['text'])] : [])).join('')
  return { turn, text, content }
}
