/**
 * Walking over the blocks of a conversation.
 *
 * 1. What a change leaves alone stays the same object: block, content, message and list.
 * 2. The blocks inside a tool result are visited before the result itself. String content has no blocks.
 */
import { areBlocks } from '../journal/surely.ts'
import type { Block, Message } from '../journal/journal.ts'

/** Where a block is: `messages.<message>.content.<index>`, or inside the result there. */
export interface Place {
  readonly message: number
  readonly index: number
  /** Index in the content of the tool result. */
  readonly inner?: number
}

/** The messages with each block replaced by what `change` returns. */
export function mapBlocks(
  messages: readonly Message[],
  change: (block: Block, place: Place) => Block,
): readonly Message[] {
  return mapKeeping(messages, (message, at) => {
    const { content } = message
    if (typeof content === 'string') return message
    const changed = mapKeeping(content, (block, index) => {
      const inner = innerOf(block)
      const mapped = inner && mapKeeping(inner, (each, deep) => change(each, { message: at, index, inner: deep }))
      return change(mapped === inner ? block : { ...block, content: mapped }, { message: at, index })
    })
    return changed === content ? message : { ...message, content: [...changed] }
  })
}

export interface Placed {
  readonly block: Block
  readonly place: Place
}

/** All blocks in order, those inside a result before the result. */
export function placedBlocks(messages: readonly Message[]): Placed[] {
  const placed: Placed[] = []
  mapBlocks(messages, (block, place) => {
    placed.push({ block, place })
    return block
  })
  return placed
}

/** The messages with `standIn` in place of each of the chosen blocks. */
export function replaceBlocks(
  messages: readonly Message[],
  chosen: readonly Placed[],
  standIn: (block: Block) => Block,
): readonly Message[] {
  const places = new Set(chosen.map(({ place }) => pathOf(place)))
  return mapBlocks(messages, (block, place) => (places.has(pathOf(place)) ? standIn(block) : block))
}

/** The path by which the API names the place. */
export function pathOf({ message, index, inner }: Place): string {
  return `messages.${message}.content.${index}${inner === undefined ? '' : `.tool_result.content.${inner}`}`
}

/** Whether the API's path means that place: it may lead on into the block, and that of a result covers its content. */
export function isAt(place: Place, path: string): boolean {
  const { inner, ...outer } = place
  const own = pathOf(place)
  const result = pathOf(outer)
  return path === own || path.startsWith(`${own}.`) || (inner !== undefined && path === result)
}

/** `list.map(change)`, or the same list when `change` returns every item unchanged. */
export function mapKeeping<T>(list: readonly T[], change: (item: T, at: number) => T): readonly T[] {
  const mapped = list.map(change)
  return mapped.every((item, at) => item === list[at]) ? list : mapped
}

/** The blocks inside a tool result, if it has any. */
export function innerOf(block: Block): readonly Block[] | undefined {
  const { content } = block
  return block.type === 'tool_result' && areBlocks(content) ? content : undefined
}

/** `n results`, `1 result`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}
