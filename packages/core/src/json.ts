/** JSON values of unchecked shape. */

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value of a JSON text; undefined for anything that is not JSON. */
export function parsedJson(text: string | Buffer): unknown {
  try {
    return JSON.parse(text.toString())
  } catch {
    return undefined
  }
}

export function recordsIn(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isRecord) : []
}

/** The fields of `record` except `names`. */
export function without<T extends Readonly<Record<string, unknown>>>(record: T, names: readonly string[]): T {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name))) as T
}

/** Whether two JSON values have the same text, the order of keys included. */
export function isSameJson(one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((value, at) => isSameJson(value, other[at]))
  }
  if (!isRecord(one) || !isRecord(other)) return false
  const [names, others] = [writtenKeys(one), writtenKeys(other)]
  return (
    names.length === others.length &&
    names.every((name, at) => name === others[at] && isSameJson(one[name], other[name]))
  )
}

const writtenKeys = (record: Readonly<Record<string, unknown>>): string[] =>
  Object.keys(record).filter((name) => record[name] !== undefined)

/**
 * A copy of `value` that shares nothing mutable. For JSON values it equals `structuredClone` at a tenth of the cost,
 * because strings are not copied; anything else is left to `structuredClone`. Errors: a `TypeError` for a bigint, as
 * from `JSON.stringify`, a `RangeError` for nesting that is too deep, and those of `structuredClone`.
 */
export function copyOf<T>(value: T, depth = 0): T {
  if (isShareable(value)) return value
  assertNotBelow(depth)
  if (Array.isArray(value)) return value.map((one: unknown) => copyOf(one, depth + 1)) as T
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return structuredClone(value)
  // Spread, so that a field named __proto__ stays a field.
  const copy = { ...value }
  for (const key in copy) if (!isShareable(copy[key])) copy[key] = copyOf(copy[key], depth + 1)
  return copy
}

/** Errors: a `RangeError` for nesting for which `copyOf` has one, too. */
export function assertNotDeep(value: unknown, depth = 0): void {
  if (isShareable(value)) return
  assertNotBelow(depth)
  for (const one of Object.values(value as object)) assertNotDeep(one, depth + 1)
}

/** Deeper values would exhaust the stack of some code that walks them: a store, a reader, a decorator. */
const deepest = 500

function assertNotBelow(depth: number): void {
  if (depth > deepest) throw new RangeError(`a value nested deeper than ${deepest} levels`)
}

function isShareable(value: unknown): boolean {
  const kind = typeof value
  if (kind === 'bigint') throw new TypeError('JSON cannot represent a bigint')
  return value === null || (kind !== 'object' && kind !== 'function' && kind !== 'symbol')
}
