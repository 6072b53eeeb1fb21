/**
 * Makes a tool's result fit to be sent before it is recorded. Once it is in the history, mending it costs the thinking
 * and the cache of everything after it; here it costs nothing.
 *
 * 1. Pure. A fit result is returned as the same object, and a guarded one is fit.
 * 2. Nothing is left out silently: a line in its place says what and how much.
 */
import { isRecord } from '../../json.ts'
import type { Block } from '../../journal/journal.ts'
import { isBlock } from '../../journal/surely.ts'
import { innerOf, mapKeeping } from '../blocks.ts'
import { cutInMiddle } from './cut-text.ts'
import { maxSideOfMany, whyRefused, withTrueMediaType } from './image-rule.ts'
import { isImage, mediumLeftOut } from './media.ts'

/**
 * The most characters of text in one result; a longer text is cut in the middle. About 100,000 tokens at four
 * characters each (https://platform.claude.com/docs/en/about-claude/glossary#tokens), which is half of the smallest
 * current window and a tenth of the usual one.
 */
const mostChars = 400_000

/** The `tool_result` block as it may be recorded and sent. */
export function guardToolResult(block: Block, maxChars = mostChars): Block {
  const formed = wellFormed(block)
  if (!isBlock(formed)) return block
  const { content } = formed
  if (typeof content === 'string') {
    const cut = cutInMiddle(content, maxChars)
    return cut === content ? formed : { ...formed, content: cut }
  }
  const inner = innerOf(formed)
  if (!inner) return formed
  const fit = cutTexts(inner, maxChars)
  const images = mapKeeping(fit, (each) => (isImage(each) ? guardImage(each) : each))
  const said = images.some(isEmptyText) ? images.filter((each) => !isEmptyText(each)) : images
  if (said === inner && said.length > 0) return formed
  return { ...formed, content: said.length > 0 ? said : '(no output)' }
}

/** If the texts together are too long, the longest are cut, all to the same length. */
function cutTexts(blocks: readonly Block[], maxChars: number): readonly Block[] {
  const lengths = blocks.map((block) => textOf(block).length).sort((one, other) => one - other)
  let left = maxChars
  let share = Infinity
  for (const [at, length] of lengths.entries()) {
    share = Math.floor(left / (lengths.length - at))
    if (length > share) break
    left -= length
    share = Infinity
  }
  return mapKeeping(blocks, (block) => {
    const cut = cutInMiddle(textOf(block), share)
    return cut === textOf(block) ? block : { ...block, text: cut }
  })
}

function guardImage(image: Block): Block {
  const typed = withTrueMediaType(image)
  const reason = whyRefused(typed, maxSideOfMany)
  return reason === undefined ? typed : mediumLeftOut(typed, reason)
}

function textOf(block: Block): string {
  return block.type === 'text' && typeof block['text'] === 'string' ? block['text'] : ''
}

const isEmptyText = (block: Block) => block.type === 'text' && textOf(block).trim() === ''

/** Lone surrogates become U+FFFD, in every string; the same value when there are none. */
export function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  if (Array.isArray(value)) return mapKeeping<unknown>(value, wellFormed)
  if (!isRecord(value)) return value
  const entries = Object.entries(value)
  const formed = mapKeeping(entries, (entry) => {
    const [name, item] = entry
    const good = wellFormed(item)
    return good === item ? entry : ([name, good] as [string, unknown])
  })
  return formed === entries ? value : Object.fromEntries(formed)
}
