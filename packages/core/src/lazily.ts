/**
 * A value that is made when it is asked for first. Schemas are: to make all of them takes as long as to load half of the
 * package, and a program that only lists or opens sessions checks most of what it reads by hand (`entry-check.ts`).
 */
export function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => (made ??= { value: make() }).value
}
