/**
 * A value made on first use. Schemas are made this way: making all of them takes as long as loading half of the
 * package, and a program that only lists or opens sessions checks most of what it reads by hand (`entry-check.ts`).
 */
export function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => (made ??= { value: make() }).value
}
