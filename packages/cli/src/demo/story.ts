/**
 * A model that plays a script, as a pure function of the transcript.
 *
 * 1. It has no memory: it walks the whole transcript each time, so a fresh lab can continue a half-done conversation.
 * 2. It is strict: what the transcript attributes to it must be what it would have said there, and the script must
 *    explain each result. A call that was lost, doubled or answered by something else is a StoryError.
 * 3. An answer that was cut may come back with only its first blocks, if a call is among them. Thinking may be missing:
 *    another model does not get it.
 */
import {
  StoryError,
  reply,
  toolResults,
  type Block,
  type Conversation,
  type Reply,
  type ToolOutcome,
} from '@lastgood/outage-lab'

/** What is said next, and what follows from the results of its calls. A move without calls ends the turn. */
export interface Move {
  say: readonly Block[]
  next?: (results: readonly ToolOutcome[]) => Move
}

/** The move that a user's prompt begins. */
export type Opening = (prompt: string) => Move

export function playScript(opening: Opening): (conversation: Conversation) => Reply {
  return (conversation) => {
    const outcomes = new Map(toolResults(conversation).map((one) => [one.id, one]))
    let move: Move | undefined
    for (const { role, content } of conversation.messages) {
      if (role === 'assistant') {
        if (!move) throw new StoryError('story: the model spoke before it was asked')
        const calls = callsOf(content)
        assertSaid(move, content)
        const results = calls.flatMap((call) => outcomes.get(String(call['id'])) ?? [])
        if (results.length < calls.length)
          throw new StoryError(`story: ${calls.length} calls, ${results.length} results`)
        move = calls.length > 0 ? move.next?.(results) : undefined
      } else {
        const words = content.flatMap((block) => (block.type === 'text' ? [String(block['text'])] : []))
        if (words.length > 0) move = opening(words.join('\n'))
        else assertResults(content)
      }
    }
    if (!move) throw new StoryError('story: nothing is left to say')
    return reply(move.say)
  }
}

/** Throws unless `content` is what the move says, or its first blocks up to some call. */
function assertSaid(move: Move, content: readonly Block[]): void {
  const say = content.some(isThinking) ? move.say : move.say.filter((block) => !isThinking(block))
  const isWhole = content.length === say.length
  const isCut = content.length < say.length && content.at(-1)?.type === 'tool_use'
  const differs = content.findIndex((block, i) => essence(block) !== essence(say[i]))
  if (differs < 0 && (isWhole || isCut)) return
  const at = differs < 0 ? content.length : differs
  throw new StoryError(
    `story: block ${at} is not what was said: ${essence(content[at])} instead of ${essence(say[at])}`,
  )
}

/** The part of a block that the script determines: not its id, its signature, or what the API adds. */
function essence(block: Block | undefined): string {
  if (!block) return 'nothing'
  const { type, text, thinking, name, input } = block
  return JSON.stringify({ type, text, thinking, name, input }).slice(0, 2000)
}

function assertResults(content: readonly Block[]): void {
  const ids = content.map((block) => block['tool_use_id'])
  if (new Set(ids).size < ids.length) throw new StoryError('story: a call was answered twice')
}

const isThinking = ({ type }: Block): boolean => type === 'thinking'

function callsOf(content: readonly Block[]): readonly Block[] {
  return content.filter((block) => block.type === 'tool_use')
}
