/**
 * Entries and heads that earlier versions wrote, as this one would have written them. Pure.
 *
 * 1. Step k takes an entry or a head of version k to version k + 1; it passes all steps from its own version on.
 * 2. What is stored stays as it is: a journal may have entries of several versions, oldest first.
 * 3. Each version that ever wrote has a golden journal among the tests (`test/golden`), and it is never edited.
 *
 * Entries: 2 added steps of the caller's own, forks, imports, retention, and bodies that are kept apart or sealed;
 * nothing that version 1 wrote changed its meaning. 3 added `deflate-1`, and lets a store keep sealed data as bytes.
 * Heads: 2 added origin and retention; 3 tells readers that could not even parse them of entries of version 3.
 */
type Versioned = Readonly<Record<string, unknown>>

const steps: readonly ((old: Versioned) => Versioned)[] = [(old) => ({ ...old, v: 2 }), (old) => ({ ...old, v: 3 })]

/** Anything that is not of an earlier version is returned as it is: the reader judges it. */
export function upgraded(stored: unknown): unknown {
  if (typeof stored !== 'object' || stored === null || !('v' in stored)) return stored
  const { v } = stored
  if (typeof v !== 'number' || !Number.isInteger(v) || v < 1) return stored
  return steps.slice(v - 1).reduce((value, step) => step(value), stored as Versioned)
}
