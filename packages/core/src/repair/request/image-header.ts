/**
 * What the first bytes of an image tell: its kind and its size in pixels.
 *
 * 1. Never throws. An unrecognised image gives undefined: the API either cannot read it or does not accept its kind
 *    (https://platform.claude.com/docs/en/build-with-claude/vision: JPEG, PNG, GIF, WebP).
 * 2. Decodes no more base64 than it needs; a JPEG may carry much before its size.
 */

export interface ImageHeader {
  readonly mediaType: 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp'
  /** Pixels; 0 if the file does not state it in the expected place. */
  readonly width: number
  readonly height: number
}

const firstChars = 64
/** A multiple of four, so that each part decodes by itself. */
const jpegChars = 87_384

export function imageHeader(base64: string): ImageHeader | undefined {
  const bytes = decoded(base64, firstChars)
  if (!bytes) return undefined
  const text = String.fromCharCode(...bytes.subarray(0, 16))
  if (text.startsWith('\u0089PNG\r\n\u001A\n')) return { mediaType: 'image/png', ...pngSize(bytes) }
  if (/^GIF8[79]a/.test(text)) return { mediaType: 'image/gif', width: le16(bytes, 6), height: le16(bytes, 8) }
  if (/^RIFF[^]{4}WEBP/.test(text)) return { mediaType: 'image/webp', ...webpSize(bytes) }
  if (!text.startsWith('\u00FF\u00D8\u00FF')) return undefined
  const head = decoded(base64, jpegChars)
  const size = (head && jpegSize(head)) ?? jpegSize(decoded(base64, base64.length) ?? bytes)
  return { mediaType: 'image/jpeg', ...(size ?? { width: 0, height: 0 }) }
}

type Size = Pick<ImageHeader, 'width' | 'height'>

function pngSize(bytes: Uint8Array): Size {
  return { width: be32(bytes, 16), height: be32(bytes, 20) }
}

/** https://developers.google.com/speed/webp/docs/riff_container */
function webpSize(bytes: Uint8Array): Size {
  const kind = String.fromCharCode(...bytes.subarray(12, 16))
  if (kind === 'VP8X') return { width: le24(bytes, 24) + 1, height: le24(bytes, 27) + 1 }
  if (kind === 'VP8L') {
    const bits = le24(bytes, 21) + (bytes[24] ?? 0) * 0x100_00_00
    return { width: (bits % 0x40_00) + 1, height: (Math.floor(bits / 0x40_00) % 0x40_00) + 1 }
  }
  return { width: le16(bytes, 26) % 0x40_00, height: le16(bytes, 28) % 0x40_00 }
}

/** Walks the segments to the frame header (https://www.w3.org/Graphics/JPEG/itu-t81.pdf, B.2.2). */
function jpegSize(bytes: Uint8Array): Size | undefined {
  let at = 2
  while (at + 9 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] ?? 0
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (isFrame) return { height: be16(bytes, at + 5), width: be16(bytes, at + 7) }
    // Markers without a length: fill bytes, restarts.
    const bare = marker === 0xff || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)
    at += marker === 0xff ? 1 : bare ? 2 : 2 + Math.max(be16(bytes, at + 2), 2)
  }
  return undefined
}

function decoded(base64: string, chars: number): Uint8Array | undefined {
  const part = base64.slice(0, chars)
  try {
    return Uint8Array.from(atob(part), (char) => char.charCodeAt(0))
  } catch {
    return undefined
  }
}

const le16 = (bytes: Uint8Array, at: number) => (bytes[at] ?? 0) + (bytes[at + 1] ?? 0) * 0x100
const le24 = (bytes: Uint8Array, at: number) => le16(bytes, at) + (bytes[at + 2] ?? 0) * 0x1_00_00
const be16 = (bytes: Uint8Array, at: number) => (bytes[at] ?? 0) * 0x100 + (bytes[at + 1] ?? 0)
const be32 = (bytes: Uint8Array, at: number) => be16(bytes, at) * 0x1_00_00 + be16(bytes, at + 2)
