import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { imageHeader } from './image-header.ts'
import { gif, jpeg, png, webp } from './images.fixture.ts'
import { dataOf } from './media.ts'

test.each([
  ['image/png', png(3_000, 9_000)],
  ['image/gif', gif(3_000, 9_000)],
  ['image/jpeg', jpeg(3_000, 9_000)],
  ['image/webp', webp('VP8 ', 3_000, 9_000)],
  ['image/webp', webp('VP8L', 3_000, 9_000)],
  ['image/webp', webp('VP8X', 3_000, 9_000)],
])('%s: its size is read', (mediaType, block) => {
  expect(imageHeader(dataOf(block) ?? '')).toEqual({ mediaType, width: 3_000, height: 9_000 })
})

test('a JPEG may carry much before its size', () => {
  expect(imageHeader(dataOf(jpeg(4_000, 10, 130_000)) ?? '')).toMatchObject({ width: 4_000, height: 10 })
})

test.each(['', 'AAAA', 'no base64 at all', 'PHN2Zz4='])('what is no image is not recognised: %j', (data) => {
  expect(imageHeader(data)).toBeUndefined()
})

test('whatever is cut or changed, it never throws', () => {
  const data = [png(1, 2), gif(1, 2), jpeg(1, 2, 9), webp('VP8L', 1, 2), webp('VP8X', 3, 4)].map(
    (one) => dataOf(one) ?? '',
  )
  fc.assert(
    fc.property(fc.constantFrom(...data), fc.nat(60), fc.string({ maxLength: 4 }), (base64, at, noise) => {
      expect(() => imageHeader(base64.slice(0, at) + noise + base64.slice(at))).not.toThrow()
      expect(() => imageHeader(base64.slice(0, at))).not.toThrow()
    }),
  )
})
