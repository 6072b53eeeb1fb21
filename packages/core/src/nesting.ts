/**
 * What the code that is being called runs inside of: a run of an agent, a tool call, a step. Who waits in there for the
 * end of one of them waits for ever; who asks from there can be told apart from who asks from elsewhere.
 *
 * 1. What has ended encloses nothing any more, whatever it left behind.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

interface Frame {
  readonly what: object
  readonly outer: Frame | undefined
  hasEnded: boolean
}

const innermost = new AsyncLocalStorage<Frame>()

/** Does `work`, and all that it calls, inside of `what`. */
export async function inside<Result>(what: object, work: () => Promise<Result> | Result): Promise<Result> {
  const frame: Frame = { what, outer: living(innermost.getStore()), hasEnded: false }
  try {
    return await innermost.run(frame, work)
  } finally {
    frame.hasEnded = true
  }
}

/** The innermost first. */
export function* enclosing(): Generator<object, void, undefined> {
  for (let frame = living(innermost.getStore()); frame; frame = living(frame.outer)) yield frame.what
}

function living(frame: Frame | undefined): Frame | undefined {
  let found = frame
  while (found?.hasEnded) found = found.outer
  return found
}

/** Something that has an effect on the world: a tool call or a step, of one session. */
export class Effect {
  readonly session: object
  readonly id: string

  constructor(session: object, id: string) {
    this.session = session
    this.id = id
  }
}

/** The effect of `session` that encloses the caller, the innermost. */
export function effectAround(session: object): Effect | undefined {
  for (const what of enclosing()) if (what instanceof Effect && what.session === session) return what
  return undefined
}
