/**
 * A model function written as a list of steps.
 * 1. The number of assistant messages in the transcript chooses the step, so a story needs no memory and a fresh lab
 *    continues a half-done conversation.
 * 2. A transcript that a step does not expect is a StoryError: served as a 400 with a clear text, and recorded.
 */
import { textOf, type Conversation } from './conversation.ts'
import { assistantCount, lastToolResult } from './queries.ts'
import type { Reply } from './reply.ts'

export class StoryError extends Error {
  readonly code = 'story_error'
  constructor(message: string) {
    super(message)
    this.name = 'StoryError'
  }
}

export interface Expectation {
  /** In the text of the last tool result. */
  readonly toolResult?: string | RegExp
  /** In the text of the last user message (tool results do not count). */
  readonly user?: string | RegExp
  /** The number of messages, merged by role. */
  readonly messages?: number
}

export type StepFunction = (conversation: Conversation) => Reply
/** A list is one turn of the assistant in pieces: every reply but the last has `pause_turn`. */
export type StoryStep =
  | Reply
  | StepFunction
  | readonly Reply[]
  | { readonly expect: Expectation; readonly reply: Reply | StepFunction }

export function story(steps: readonly StoryStep[]): StepFunction {
  return (conversation) => {
    const last = conversation.messages.at(-1)
    const at = assistantCount(conversation)
    const begun = last?.role === 'assistant' ? steps[at - 1] : undefined
    if (begun && isPieces(begun)) return nextPiece(begun, last?.content.length ?? 0)
    const step = steps[at]
    if (!step)
      throw new StoryError(
        `story: it has ${steps.length} steps, but the transcript already has ${at} assistant messages`,
      )
    if (isPieces(step)) return nextPiece(step, 0)
    if (typeof step === 'function') return step(conversation)
    if (!('expect' in step)) return step
    check(step.expect, conversation, at)
    return typeof step.reply === 'function' ? step.reply(conversation) : step.reply
  }
}

function isPieces(step: StoryStep): step is readonly Reply[] {
  return Array.isArray(step)
}

/** The first piece that does not lie wholly in what was already said. */
function nextPiece(pieces: readonly Reply[], said: number): Reply {
  let length = 0
  const next = pieces.find(({ blocks }) => (length += blocks.length) > said)
  if (!next) throw new StoryError(`story: the turn has ${length} blocks, but the transcript already has ${said} of it`)
  return next
}

function check(expect: Expectation, conversation: Conversation, at: number): void {
  const last = conversation.messages.at(-1)
  const found = { toolResult: lastToolResult(conversation)?.text ?? '', user: textOf(last?.content) }
  for (const key of ['toolResult', 'user'] as const) {
    const wanted = expect[key]
    if (wanted === undefined || matches(found[key], wanted)) continue
    throw new StoryError(`story: step ${at} expects ${key} ${String(wanted)}, but found ${JSON.stringify(found[key])}`)
  }
  const count = conversation.messages.length
  if (expect.messages !== undefined && expect.messages !== count) {
    throw new StoryError(`story: step ${at} expects ${expect.messages} messages, but found ${count}`)
  }
}

function matches(text: string, wanted: string | RegExp): boolean {
  return typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)
}
