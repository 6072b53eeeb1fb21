import fc from 'fast-check'
import { expect, test } from 'vitest'
import { copyOf } from './json.ts'

test('a copy says the same in the same order, and nothing in it is shared', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const copy = copyOf(value)
      expect(JSON.stringify(copy)).toBe(JSON.stringify(value))
      expectApart(copy, value)
    }),
  )
  const odd = JSON.parse('{"__proto__":{"a":[1]},"constructor":{"b":2}}') as object
  expect(JSON.stringify(copyOf(odd))).toBe(JSON.stringify(odd))
  expectApart(copyOf(odd), odd)
})

test('what JSON cannot say is copied, or refused, as structuredClone does', () => {
  const value = { at: new Date(0), bytes: new Uint8Array([1, 2]), none: undefined }
  expect(copyOf(value)).toEqual(value)
  expect(copyOf(value).at).not.toBe(value.at)
  for (const bad of [() => 1, { run: () => 1 }, [Symbol('s')]]) expect(() => copyOf(bad)).toThrow(/could not be cloned/)
  expect(() => copyOf({ big: 1n })).toThrow(/bigint/)
})

test('a value that is nested so deep that those who walk over it would fail is refused', () => {
  let deep: unknown = 'x'
  for (let level = 0; level < 500; level += 1) deep = [deep]
  expect(copyOf(deep)).toEqual(deep)
  expect(() => copyOf([deep, [deep]])).toThrow(/deeper than 500/)
})

function expectApart(copy: unknown, value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  expect(copy).not.toBe(value)
  for (const key of Object.keys(value)) expectApart((copy as never)[key], (value as never)[key])
}
