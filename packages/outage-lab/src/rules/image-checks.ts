/**
 * Checks of images, by the first bytes of their data.
 * 1. The limit for a side depends on how many images the request has: one more can make earlier ones too large.
 */
import { isObject, objectsOf, stringOf, type JsonObject } from '../json.ts'
import { place, type Found, type Transcript } from '../transcript.ts'

const MAX_SIDE = 8000
const MANY_IMAGES = 20
const MAX_SIDE_OF_MANY = 2000
const MAX_BASE64_BYTES = 10 * 1024 * 1024
const MAX_COUNT = 600
/** For models with a context window of 200,000 tokens. */
const MAX_COUNT_SMALL = 100
const SMALL_WINDOW = 200_000
const HEAD_CHARS = 64

interface PlacedImage {
  readonly path: string
  readonly data: string
}

export function findEmptyImage({ blocks }: Transcript): Found | undefined {
  const bad = imagesOf(blocks).find(({ data }) => data === '')
  return bad && { path: bad.path }
}

export function findBrokenImage({ blocks }: Transcript): Found | undefined {
  return imagesOf(blocks).some(({ data }) => !isImage(head(data))) ? {} : undefined
}

export function findLargeImage({ blocks }: Transcript): Found | undefined {
  const images = imagesOf(blocks)
  const many = images.length > MANY_IMAGES
  const limit = many ? MAX_SIDE_OF_MANY : MAX_SIDE
  const paths = images.filter(({ data }) => longestSide(head(data)) > limit).map(({ path }) => path)
  const [path] = paths
  return path === undefined
    ? undefined
    : { path, kind: many ? ' for many-image requests' : '', max_side_length_pixels: limit, paths }
}

export function findManyImages({ blocks, card }: Transcript): Found | undefined {
  const limit = card.maxInputTokens > SMALL_WINDOW ? MAX_COUNT : MAX_COUNT_SMALL
  const count = imagesOf(blocks).length
  return count > limit ? { count, limit } : undefined
}

export function findHeavyImage({ blocks }: Transcript): Found | undefined {
  const bad = imagesOf(blocks).find(({ data }) => data.length > MAX_BASE64_BYTES)
  return bad && { path: bad.path, bytes: bad.data.length, limit: MAX_BASE64_BYTES }
}

function imagesOf(blocks: Transcript['blocks']): readonly PlacedImage[] {
  return blocks.flatMap((placed) => [
    ...imageIn(placed.block, place(placed)),
    ...objectsOf(placed.block['content']).flatMap((inner, deep) =>
      imageIn(inner, `${place(placed)}.tool_result.content.${deep}`),
    ),
  ])
}

function imageIn(block: JsonObject, path: string): readonly PlacedImage[] {
  const source = block['type'] === 'image' ? block['source'] : undefined
  if (!isObject(source) || source['type'] !== 'base64') return []
  return [{ path: `${path}.image.source.base64`, data: stringOf(source['data']) }]
}

function head(data: string): Buffer {
  return Buffer.from(data.slice(0, HEAD_CHARS), 'base64')
}

function isImage(bytes: Buffer): boolean {
  const text = bytes.toString('latin1')
  return isPng(bytes) || text.startsWith('\xff\xd8\xff') || text.startsWith('GIF8') || text.slice(8, 12) === 'WEBP'
}

function isPng(bytes: Buffer): boolean {
  return bytes.toString('latin1').startsWith('\x89PNG\r\n\x1a\n')
}

/** Known for PNG and GIF; 0 for formats that keep it deeper in the file. */
function longestSide(bytes: Buffer): number {
  if (isPng(bytes) && bytes.length >= 24) return Math.max(bytes.readUInt32BE(16), bytes.readUInt32BE(20))
  if (bytes.toString('latin1').startsWith('GIF8') && bytes.length >= 10) {
    return Math.max(bytes.readUInt16LE(6), bytes.readUInt16LE(8))
  }
  return 0
}
