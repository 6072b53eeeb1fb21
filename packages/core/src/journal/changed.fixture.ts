/** Values that are almost sound, to test the hand-written checks. */
import fc from 'fast-check'

/** `value` with one thing in it changed, left out or added, at any depth. */
export const changed = (value: object): fc.Arbitrary<object> => {
  const spots = spotsIn(value)
  const odd = fc.constantFrom<unknown>(undefined, null, 0, -1, 1.5, NaN, 2 ** 60, '', 'ran', [], [1], {}, [{}], true)
  return fc
    .record({ spot: fc.constantFrom(...spots), odd, how: fc.constantFrom('set', 'drop', 'add') })
    .map(({ spot, odd, how }) => {
      const copy = structuredClone(value)
      const [last = '', ...above] = [...spot].reverse()
      const holder = above.reverse().reduce<Record<string, unknown>>((at, key) => at[key] as typeof at, copy as never)
      if (how === 'drop' && Array.isArray(holder)) holder.splice(Number(last), 1)
      else if (how === 'drop') delete holder[last]
      else holder[how === 'add' ? 'another' : last] = odd
      return copy
    })
}

function spotsIn(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [[key], ...spotsIn(inner).map((spot) => [key, ...spot])])
}
