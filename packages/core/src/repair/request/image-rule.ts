/**
 * Images that the API would refuse. https://platform.claude.com/docs/en/build-with-claude/vision
 *
 * 1. A refused image becomes text that says what was there; nothing is scaled.
 * 2. The limit of a side depends on how many images and documents a request has: one more can make old ones too large.
 * 3. Links and files are left to the API: it alone can see them.
 */
import { isRecord } from '../../json.ts'
import type { Block } from '../../journal/journal.ts'
import type { ModelCard } from '../../ladder/model-card.ts'
import { localRule } from '../rule.ts'
import { mapBlocks, placedBlocks, replaceBlocks, type Placed } from '../blocks.ts'
import { imageHeader } from './image-header.ts'
import { withSignaturesKept } from './kept-signatures.ts'
import { dataOf, isImage, isMedium, mediumLeftOut } from './media.ts'

/** Pixels of the longest side. */
export const maxSide = 8_000
/** Pixels of the longest side in a request with more than `manyMedia` images and documents. */
export const maxSideOfMany = 2_000
export const manyMedia = 20
/** Characters of base64. */
const maxImageChars = 10 * 1024 * 1024
const smallWindow = 200_000

/** Why the API would refuse the image; undefined if no reason is known. */
export function whyRefused(block: Block, longestSide: number): string | undefined {
  const data = dataOf(block)
  if (data === undefined) return undefined
  if (data === '') return 'it is empty'
  if (data.length > maxImageChars) return `larger than ${maxImageChars} characters of base64`
  const header = imageHeader(data)
  if (!header) return 'no JPEG, PNG, GIF or WebP'
  const isTooLarge = Math.max(header.width, header.height) > longestSide
  return isTooLarge ? `a side is longer than ${longestSide} pixels` : undefined
}

/** The image with the media type that its first bytes show, if another is declared; else the same object. */
export function withTrueMediaType(block: Block): Block {
  const data = isImage(block) ? dataOf(block) : undefined
  const header = data === undefined ? undefined : imageHeader(data)
  const { source } = block
  if (!header || !isRecord(source) || source['media_type'] === header.mediaType) return block
  return { ...block, source: { ...source, media_type: header.mediaType } }
}

const rule = localRule(
  {
    name: 'images',
    row: 32,
    invariant: 'Images are complete, of a known kind, and within the limits of size and number.',
  },
  (outgoing, { card }) => {
    const typed = mapBlocks(outgoing.messages, withTrueMediaType)
    const media = placedBlocks(typed).filter(({ block }) => isMedium(block))
    const pictures = media.filter(({ block }) => isImage(block))
    const surplus = new Set(pictures.slice(0, Math.max(0, pictures.length - mostImages(card))))
    const longestSide = media.length > manyMedia ? maxSideOfMany : maxSide
    const reasonFor = (placed: Placed) =>
      surplus.has(placed)
        ? `a request may have ${mostImages(card)} images`
        : isImage(placed.block)
          ? whyRefused(placed.block, longestSide)
          : undefined
    const bad = media.filter((placed) => reasonFor(placed) !== undefined)
    if (bad.length === 0 && typed === outgoing.messages) return undefined
    const reasons = new Map(bad.map((placed) => [placed.block, reasonFor(placed) ?? '']))
    const standIn = (block: Block) => mediumLeftOut(block, reasons.get(block) ?? '')
    const messages = replaceBlocks(typed, bad, standIn)
    const retyped = placedBlocks(outgoing.messages).filter(({ block }) => withTrueMediaType(block) !== block)
    const mends = [
      ...bad.map(({ block, place }) => ({ message: place.message, what: textOf(standIn(block)), removed: [block] })),
      ...retyped.map(({ place }) => ({ message: place.message, what: 'named the media type that the image has' })),
    ]
    return { messages, mends }
  },
)

export const images = withSignaturesKept(rule)

/** https://platform.claude.com/docs/en/build-with-claude/vision: 600 in a request, 100 on models with a window of 200k. */
function mostImages({ maxInputTokens }: ModelCard): number {
  return maxInputTokens <= smallWindow ? 100 : 600
}

function textOf({ text }: Block): string {
  return String(text).replaceAll(/[[\]]/g, '')
}
