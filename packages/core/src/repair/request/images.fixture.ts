/** The first bytes of images: nothing else is read. */
import type { Block } from '../../journal/journal.ts'

export function png(width: number, height: number): Block {
  const bytes = new Uint8Array(24)
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const view = new DataView(bytes.buffer)
  view.setUint32(16, width)
  view.setUint32(20, height)
  return image('image/png', bytes)
}

export function gif(width: number, height: number): Block {
  const bytes = new Uint8Array([0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 0, 0, 0, 0])
  const view = new DataView(bytes.buffer)
  view.setUint16(6, width, true)
  view.setUint16(8, height, true)
  return image('image/gif', bytes)
}

/** With `before` bytes of a thumbnail or the like in front of the size. */
export function jpeg(width: number, height: number, before = 0): Block {
  const segments: number[] = []
  for (let rest = before; rest > 0; rest -= 60_000) {
    const length = Math.min(rest, 60_000) + 2
    segments.push(0xff, 0xe1, length >> 8, length & 0xff, ...new Uint8Array(length - 2))
  }
  const size = [height >> 8, height & 0xff, width >> 8, width & 0xff]
  return image('image/jpeg', new Uint8Array([0xff, 0xd8, ...segments, 0xff, 0xc0, 0, 17, 8, ...size, 3, 0, 0]))
}

export function webp(kind: 'VP8 ' | 'VP8L' | 'VP8X', width: number, height: number): Block {
  const bytes = new Uint8Array(30)
  bytes.set([0x52, 0x49, 0x46, 0x46], 0)
  bytes.set(new TextEncoder().encode(`WEBP${kind}`), 8)
  const view = new DataView(bytes.buffer)
  if (kind === 'VP8X') {
    bytes.set([(width - 1) & 0xff, (width - 1) >> 8, 0, (height - 1) & 0xff, (height - 1) >> 8, 0], 24)
  } else if (kind === 'VP8L') {
    bytes[20] = 0x2f
    view.setUint32(21, ((height - 1) << 14) | (width - 1), true)
  } else {
    view.setUint16(26, width, true)
    view.setUint16(28, height, true)
  }
  return image('image/webp', bytes)
}

function image(mediaType: string, bytes: Uint8Array): Block {
  const data = Buffer.from(bytes).toString('base64')
  return { type: 'image', source: { type: 'base64', media_type: mediaType, data } }
}
