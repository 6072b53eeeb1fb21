/**
 * Checks of calls that the API runs itself.
 * 1. A call has its result in the same turn. Beside calls of client tools it may wait: then the result stands in the
 *    assistant's next turn.
 * 2. A call without a result may also end the transcript: the turn was paused and goes on.
 */
import type { PlacedBlock, Turn } from '../conversation.ts'
import { isObject, stringOf, type JsonObject } from '../json.ts'
import { everyBlock, place, type Found, type Transcript } from '../transcript.ts'

const RESULT = '_tool_result'

export function findUnansweredServerCall({ turns }: Transcript): Found | undefined {
  for (const [at, turn] of turns.entries()) {
    if (at === turns.length - 1) continue
    const later = waits(turn) ? turns[at + 2] : undefined
    const answered = later ? resultsIn(later).map(idOf) : []
    const bad = openCalls(turn).find(({ block }) => !answered.includes(stringOf(block['id'])))
    if (bad && !(waits(turn) && at + 2 === turns.length)) return named(bad)
  }
  return undefined
}

export function findUnknownServerResult({ turns }: Transcript): Found | undefined {
  for (const [at, turn] of turns.entries()) {
    const before = turns[at - 2]
    const waiting = before && waits(before) ? openCalls(before) : []
    const bad = resultsIn(turn).find(
      (result) =>
        ![...waiting, ...turn.blocks.slice(0, turn.blocks.indexOf(result)).filter(isCall)].some(
          ({ block }) => block['id'] === idOf(result),
        ),
    )
    if (bad) return { path: place(bad), type: bad.block.type, id: idOf(bad) }
  }
  return undefined
}

/** After a call that waits, the user message must have results and nothing else. */
export function findOtherThanResults({ turns }: Transcript): Found | undefined {
  for (const [at, turn] of turns.entries()) {
    const before = turns[at - 1]
    if (turn.role !== 'user' || !before || !waits(before) || openCalls(before).length === 0) continue
    const other = turn.blocks.find(({ block }) => block.type !== 'tool_result')
    if (other) return { path: place(other) }
  }
  return undefined
}

/** A request that lets the server continue needs the tools of the one before. */
export function findMissingServerTool({ turns, tools, request }: Transcript): Found | undefined {
  const last = turns.findLast((turn) => turn.role === 'assistant')
  if (!last || turns.indexOf(last) < turns.length - 2) return undefined
  const bad = openCalls(last).find(
    ({ block }) =>
      block.type === 'server_tool_use' &&
      !tools.some((tool) => tool['name'] !== undefined && stringOf(block['name']).endsWith(stringOf(tool['name']))),
  )
  return bad && request['tools'] !== null ? named(bad) : undefined
}

/** A call made by code must name the call of that code. */
export function findUnknownCaller(transcript: Transcript): Found | undefined {
  const known = new Set(transcript.blocks.filter(isCall).map(({ block }) => block['id']))
  return everyBlock(({ block }) => {
    const caller = block['caller']
    if (!isObject(caller) || caller['tool_id'] === undefined || known.has(caller['tool_id'])) return undefined
    return { id: stringOf(caller['tool_id']) }
  })(transcript)
}

export function findUnknownReference(transcript: Transcript): Found | undefined {
  const known = new Set(transcript.tools.map((tool) => tool['name']))
  return everyBlock(({ block }) => {
    const bad = referencesIn(block).find(({ tool_name: name }) => !known.has(name))
    return bad && { name: stringOf(bad['tool_name']) }
  })(transcript)
}

function referencesIn(value: unknown): readonly JsonObject[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn)
  if (!isObject(value)) return []
  return value['type'] === 'tool_reference'
    ? [value]
    : [value['content'], value['tool_references']].flatMap(referencesIn)
}

/** The turn called client tools as well, and continues when their results are there. */
function waits(turn: Turn): boolean {
  return turn.role === 'assistant' && turn.blocks.some(({ block }) => block.type === 'tool_use')
}

function openCalls(turn: Turn): readonly PlacedBlock[] {
  const answered = resultsIn(turn).map(idOf)
  return turn.blocks.filter((placed) => isCall(placed) && !answered.includes(stringOf(placed.block['id'])))
}

function resultsIn(turn: Turn): readonly PlacedBlock[] {
  return turn.blocks.filter(({ block }) => block.type.endsWith(RESULT))
}

function isCall({ block }: PlacedBlock): boolean {
  return block.type === 'server_tool_use' || block.type === 'mcp_tool_use'
}

function idOf({ block }: PlacedBlock): string {
  return stringOf(block['tool_use_id'])
}

function named({ block, message }: PlacedBlock): Found {
  const name = stringOf(block['name'])
  const result = block.type === 'mcp_tool_use' ? 'mcp' : name.replace(/^(tool_search)_tool_.*$/, '$1')
  return { message, name, id: stringOf(block['id']), result: result + RESULT }
}
