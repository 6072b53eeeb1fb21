/**
 * Images and documents of a request, and the words that stand in for them.
 *
 * 1. A stand-in is text that says what was there and why it is gone; it is no medium, so it is never replaced again.
 */
import { isRecord } from '../../json.ts'
import type { Block } from '../../journal/journal.ts'
import { imageHeader } from './image-header.ts'

export const isImage = ({ type }: Block): boolean => type === 'image'
export const isMedium = ({ type }: Block): boolean => type === 'image' || type === 'document'

/** The API fetches it for each request, as long as its address is valid. */
export const isLinked = ({ source }: Block): boolean => isRecord(source) && source['type'] === 'url'

/** The base64 data of an image or document; undefined for a link or a file. */
export function dataOf({ source }: Block): string | undefined {
  return isRecord(source) && source['type'] === 'base64' && typeof source['data'] === 'string'
    ? source['data']
    : undefined
}

/** How many characters of base64 the block takes in the request. */
export function sizeOf(block: Block): number {
  return dataOf(block)?.length ?? 0
}

/** Text instead of a medium: `[image 3000x9000 left out: …]`. */
export function mediumLeftOut(block: Block, reason: string): Block {
  const data = isImage(block) ? dataOf(block) : undefined
  const header = data === undefined ? undefined : imageHeader(data)
  const size = header && header.width > 0 ? ` ${header.width}x${header.height}` : ''
  const title = typeof block['title'] === 'string' ? ` ${JSON.stringify(block['title'])}` : ''
  return { type: 'text', text: `[${block.type}${size}${title} left out: ${reason}]` }
}
