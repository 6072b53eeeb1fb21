/**
 * Blocks of the server's own work: calls of its tools, compaction, other models that stepped in. The API accepts them
 * only whole and where they were.
 */
import { isRecord, recordsIn } from '../../json.ts'
import { blocksOf, isAskedFor, isCall, isServerCall, isThinking } from '../../journal/message.ts'
import type { Block, Message } from '../../journal/journal.ts'
import { callIdOf, idOf, isPaused, isResult, isServerResult, textBlock, withBlocks } from '../block-kinds.ts'
import { count, mapBlocks } from '../blocks.ts'
import type { Params } from '../outgoing.ts'
import { localRule, messageRule, withoutBlocks, type Mend } from '../rule.ts'

export const serverPairs = messageRule(
  {
    name: 'server-pairs',
    row: 25,
    invariant:
      "A call of a server's tool and its result stand in the same answer, or in one after the client tools it waits for.",
  },
  ({ messages, params }, { stopReason }) =>
    (message, at) => {
      if (message.role !== 'assistant') return undefined
      const turn = turnAt(messages, at)
      const begun = blocksBefore(messages, at)
      const blocks = blocksOf(message)
      const isPending = at === messages.length - 1 && isPaused(message, stopReason)
      const answered = new Set(turn.filter(isServerResult).map(callIdOf))
      const asked = new Set(turn.slice(0, begun).filter(isServerCall).map(idOf))
      const removed = blocks.filter((block) => {
        if (isServerCall(block)) asked.add(idOf(block))
        if (isServerCall(block) && !answered.has(idOf(block))) {
          const wait = isPending ? 'open' : waitFor(idOf(block), messages, at)
          return wait === 'over' || (wait === 'open' && !isDeclared(block, params))
        }
        const id = callIdOf(block)
        return isServerResult(block) && !asked.has(id) && !wasWaitedFor(id, messages, at)
      })
      if (removed.length === 0) return undefined
      const rest = blocks.filter((block) => !removed.includes(block))
      const said = rest.every(isThinking) ? [...rest, textBlock('(no text)')] : rest
      const what = `left out ${count(removed.length, 'block')} of a server tool without its other half`
      return { instead: [withBlocks(message, said)], what, removed }
    },
)

/** How the wait of a server call for client tools stands after the answer at `at`: open, answered, or in vain. */
function waitFor(id: string, messages: readonly Message[], at: number): 'open' | 'answered' | 'over' {
  const end = messages.findIndex((message, n) => n > at && message.role !== 'assistant')
  if (end < 0 || !turnAt(messages, at).some(isCall)) return 'over'
  const next = messages.findIndex((message, n) => n > end && message.role === 'assistant')
  if (!messages.slice(end, next < 0 ? undefined : next).every(onlyResults)) return 'over'
  if (next < 0) return 'open'
  const following = turnAt(messages, next)
  if (following.some((block) => isServerResult(block) && callIdOf(block) === id)) return 'answered'
  // Code that the server runs may call client tools in several rounds.
  return following.some((block) => isCall(block) && callerOf(block) === id) ? waitFor(id, messages, next) : 'over'
}

function wasWaitedFor(id: string, messages: readonly Message[], at: number): boolean {
  const asked = messages
    .slice(0, at)
    .findLastIndex((message) => blocksOf(message).some((b) => isServerCall(b) && idOf(b) === id))
  const isAnswered = asked >= 0 && turnAt(messages, asked).some((b) => isServerResult(b) && callIdOf(b) === id)
  return asked >= 0 && !isAnswered && waitFor(id, messages, asked) === 'answered'
}

const callerOf = ({ caller }: Block): unknown => (isRecord(caller) ? caller['tool_id'] : undefined)

/** The server continues a call only if its tool is declared; in a bare transcript it is assumed to be. */
function isDeclared({ type, name }: Block, params: Params): boolean {
  if (type !== 'server_tool_use' || params['model'] === undefined) return true
  return recordsIn(params['tools']).some(({ name: known }) => typeof known === 'string' && String(name).endsWith(known))
}

const onlyResults = (message: Message) => message.role === 'user' && blocksOf(message).every(isResult)

/** The blocks of the run of consecutive answers that the message is in: the API takes them as one answer. */
function turnAt(messages: readonly Message[], at: number): Block[] {
  const from = messages.slice(0, at).findLastIndex(({ role }) => role !== 'assistant') + 1
  const length = messages.slice(at).findIndex(({ role }) => role !== 'assistant')
  return messages.slice(from, length < 0 ? undefined : at + length).flatMap(blocksOf)
}

/** How many blocks of that run come before the message. */
function blocksBefore(messages: readonly Message[], at: number): number {
  const before = messages[at - 1]
  return before?.role === 'assistant' ? blocksBefore(messages, at - 1) + blocksOf(before).length : 0
}

/** Tools of an MCP server, and those that messages add, are not listed in `tools`. */
const knowsAllTools = ({ tools, mcp_servers }: Params): boolean =>
  Array.isArray(tools) && mcp_servers === undefined && !recordsIn(tools).some(({ name }) => name === undefined)

export const references = localRule(
  {
    name: 'references',
    row: 29,
    invariant: 'What a block refers to exists: the call that made it, the tool it names.',
  },
  ({ messages, params }) => {
    const calls = new Set<unknown>(
      messages.flatMap((message) =>
        blocksOf(message)
          .filter((b) => isServerCall(b) || isCall(b))
          .map(idOf),
      ),
    )
    const tools = new Set(recordsIn(params['tools']).map((tool) => tool['name']))
    const knowsTools = knowsAllTools(params)
    const isGone = (name: unknown) => knowsTools && !tools.has(name)
    const mends: Mend[] = []
    const mended = mapBlocks(messages, (block, { message }) => {
      const caller = block['caller']
      if (isRecord(caller) && caller['tool_id'] !== undefined && !calls.has(caller['tool_id'])) {
        mends.push({ message, what: 'left out the mention of a caller that is gone' })
        const { caller: _caller, ...rest } = block
        return rest
      }
      const found = isRecord(block['content']) ? block['content'] : {}
      const listed = recordsIn(found['tool_references'])
      const gone = listed.filter((one) => isGone(one['tool_name']))
      if (gone.length > 0) {
        mends.push({ message, what: `left out ${count(gone.length, 'tool')} that a search had found` })
        return { ...block, content: { ...found, tool_references: listed.filter((one) => !gone.includes(one)) } }
      }
      if (block.type !== 'tool_reference' || !isGone(block['tool_name'])) return block
      mends.push({ message, what: 'left out the mention of a tool that is gone', removed: [block] })
      return { type: 'text', text: '[a tool that is not there any more]' }
    })
    return { messages: mended, mends }
  },
)

export const compactions = messageRule(
  { name: 'compactions', row: 40, invariant: 'A compaction has content, and comes first where it was requested.' },
  () => (message, at) => {
    const bad = blocksOf(message).filter(
      (block, i) =>
        block.type === 'compaction' && (block['content'] === '' || (isAskedFor(block) && (at > 0 || i > 0))),
    )
    return withoutBlocks(message, bad, `left out ${count(bad.length, 'compaction')} after what it sums up`)
  },
)

export const fallbacks = messageRule(
  {
    name: 'fallbacks',
    row: 42,
    invariant: 'Nothing of a model that declined comes before the mark of the next one.',
  },
  () => (message) => {
    if (message.role !== 'assistant') return undefined
    const blocks = blocksOf(message)
    const border = blocks.findLastIndex(({ type }) => type === 'fallback')
    const bad = blocks.slice(0, Math.max(0, border)).filter((block) => isThinking(block) || isCall(block))
    return withoutBlocks(message, bad, `left out ${count(bad.length, 'block')} of the model that declined`)
  },
)
