/**
 * The tool ledger: side effects happen once, or somebody is told (P2).
 *
 * 1. Intent before effect: `tool-started` is durable before a tool runs, except for tools whose rule is `rerun`.
 * 2. Result before use: `tool-finished` is durable before the model can see it.
 * 3. A call that another process started and did not finish is in doubt; its tool's rule decides what happens.
 * 4. Each of several parallel calls has its own fate. The last result is staged: it shares an append with the request
 *    that follows.
 */
import { LastgoodError } from './errors.ts'
import type { Block, InDoubt } from './journal.ts'
import type { Session } from './session.ts'
import { inDoubtResult, type ToolCall } from './transcript.ts'

export interface ToolContext {
  toolUseId: string
  /** The same for every run of this very call, over restarts: hand it to services that can tell repeats. */
  idempotencyKey: string
  /** Aborts when the session is suspended, closed or lost. */
  signal: AbortSignal
}

export interface LedgerTool {
  inDoubt: InDoubt
  /** Runs the call and gives the tool_result block for the model. A failure of the tool is an `is_error` result. */
  run(input: unknown, context: ToolContext): Promise<Block>
}

export interface LedgerTools {
  /** The tool of this name, or undefined when there is none (any more). */
  find(name: string): LedgerTool | undefined
  /** Asked for calls in doubt whose rule is `ask`. Without it, or when it says `suspend`, the session is parked. */
  onInDoubt?: (call: { toolUseId: string; name: string; input: unknown }) => Promise<'rerun' | 'report' | 'suspend'>
}

/** Brings every open call of the last response to a result. Errors: `needs-input`, and those of `record`. */
export async function runToolCalls(session: Session, tools: LedgerTools): Promise<void> {
  const planned = await Promise.all(
    session.transcript.unanswered.map(async (call) => ({ call, fate: await fateOf(session, call, tools) })),
  )
  const asking = planned.find(({ fate }) => fate === 'suspend')
  if (asking) throw await parkForInput(session, asking.call)

  const intents = planned.filter(
    ({ call, fate }) => fate === 'run' && call.state === 'open' && ruleOf(call, tools) !== 'rerun',
  )
  if (intents.length > 0) {
    await session.record(
      intents.map(({ call }) => ({
        type: 'tool-started',
        toolUseId: call.toolUseId,
        name: call.name,
        inDoubt: ruleOf(call, tools),
      })),
    )
  }

  let left = planned.length
  const settled = await Promise.allSettled(
    planned.map(async ({ call, fate }) => {
      const finished = await finish(session, call, fate, tools)
      left -= 1
      if (left === 0) await session.stage(finished)
      else await session.record([finished])
    }),
  )
  const failed = settled.find((one) => one.status === 'rejected')
  if (failed) throw failed.reason
}

type Fate = 'run' | 'report' | 'suspend'

async function fateOf(session: Session, call: ToolCall, tools: LedgerTools): Promise<Fate> {
  if (call.state === 'open' || session.hasStarted(call.toolUseId)) return 'run'
  const rule = ruleOf(call, tools)
  const { toolUseId, name, input } = call
  const answer = rule === 'ask' ? ((await tools.onInDoubt?.({ toolUseId, name, input })) ?? 'suspend') : rule
  return answer === 'rerun' ? 'run' : answer
}

/** The rule of the code that runs now; `report` for a tool that is gone. */
function ruleOf(call: ToolCall, tools: LedgerTools): InDoubt {
  return tools.find(call.name)?.inDoubt ?? 'report'
}

async function finish(session: Session, call: ToolCall, fate: Fate, tools: LedgerTools) {
  const { toolUseId, name, input, step } = call
  if (fate !== 'run') {
    return { type: 'tool-finished', toolUseId, result: inDoubtResult(toolUseId), outcome: 'in-doubt' } as const
  }
  const tool = tools.find(name)
  if (!tool) {
    const content = `Error: Tool '${name.slice(0, 100)}' not found`
    const result = { type: 'tool_result', tool_use_id: toolUseId, is_error: true, content }
    return { type: 'tool-finished', toolUseId, result, outcome: 'refused' } as const
  }
  const result = await tool.run(input, { toolUseId, idempotencyKey: `${session.id}:${step}`, signal: session.signal })
  // A tool that was stopped half-way has no known outcome: no result is better than a wrong one.
  session.signal.throwIfAborted()
  return { type: 'tool-finished', toolUseId, result, outcome: 'ran' } as const
}

async function parkForInput(session: Session, call: ToolCall): Promise<LastgoodError> {
  const detail = `tool ${call.name} was started and its outcome is unknown`
  await session.suspend('needs-input', detail)
  return new LastgoodError('needs-input', `session ${session.id}: ${detail}`, {
    hint: `decide with: lastgood resume ${session.id} --in-doubt rerun|report`,
    details: { sessionId: session.id, tool: call.name, toolUseId: call.toolUseId },
  })
}
