/**
 * What the calling code runs inside of (a run of an agent, a tool call, a step), and what waits for what.
 *
 * 1. What has ended encloses nothing any more, not even work that it left running.
 * 2. A wait that would never end is refused: one for something that waits, directly or through others, for what
 *    encloses the caller.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

interface Frame {
  readonly what: object
  readonly outer: Frame | undefined
  hasEnded: boolean
}

const innermost = new AsyncLocalStorage<Frame>()

/** What each object waits for; a target is listed once for each wait. */
const waits = new WeakMap<object, object[]>()

/** Runs `work`, and all that it calls, inside of `what`. */
export async function inside<Result>(what: object, work: () => Promise<Result> | Result): Promise<Result> {
  const frame: Frame = { what, outer: living(innermost.getStore()), hasEnded: false }
  try {
    return await innermost.run(frame, work)
  } finally {
    frame.hasEnded = true
  }
}

/**
 * Waits for `result`, the outcome of `target`. Errors: that of `refuse`, when `target` is, or waits for, something that
 * encloses the caller.
 */
export async function waitingFor<Result>(
  target: object,
  result: () => Promise<Result>,
  refuse: () => Error,
): Promise<Result> {
  const waiting = [...enclosing()]
  if (waiting.some((what) => isReachable(what, target))) throw refuse()
  for (const what of waiting) waits.set(what, [...(waits.get(what) ?? []), target])
  try {
    return await result()
  } finally {
    for (const what of waiting) stopWaiting(what, target)
  }
}

function isReachable(wanted: object, from: object, seen = new Set<object>()): boolean {
  if (wanted === from) return true
  if (seen.has(from)) return false
  seen.add(from)
  return (waits.get(from) ?? []).some((next) => isReachable(wanted, next, seen))
}

function stopWaiting(what: object, target: object): void {
  const targets = [...(waits.get(what) ?? [])]
  targets.splice(targets.indexOf(target), 1)
  waits.set(what, targets)
}

/** The innermost first. */
function* enclosing(): Generator<object, void, undefined> {
  for (let frame = living(innermost.getStore()); frame; frame = living(frame.outer)) yield frame.what
}

function living(frame: Frame | undefined): Frame | undefined {
  let found = frame
  while (found?.hasEnded) found = found.outer
  return found
}

/** One run of something that has an effect on the world: a tool call or a step, of one session. */
export class Effect {
  readonly session: object
  readonly id: string

  constructor(session: object, id: string) {
    this.session = session
    this.id = id
  }
}

/** The innermost effect of `session` that encloses the caller. */
export function effectAround(session: object): Effect | undefined {
  for (const what of enclosing()) if (what instanceof Effect && what.session === session) return what
  return undefined
}
