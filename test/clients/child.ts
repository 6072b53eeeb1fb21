/** Processes whose output is read, and that are ended with all that they started. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

export function listen(child: ChildProcess): () => string {
  let heard = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (piece: Buffer) => (heard += piece.toString()))
  return () => heard
}

/** Its exit code; null if the signal ended it. It leads a process group, which is gone then. */
export async function ended(child: ChildProcess, signal: AbortSignal): Promise<number | null> {
  const giveUp = (): void => endGroup(child)
  signal.addEventListener('abort', giveUp)
  if (signal.aborted) giveUp()
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    return signal.aborted ? null : code
  } finally {
    signal.removeEventListener('abort', giveUp)
    endGroup(child)
  }
}

const lookMs = 500
/** The limit, times `ms`, for a measure that never stands still: it may be going round in circles. */
const circles = 5

/** Aborts when `measure` has stood still for `ms`, at the latest after five times as long; `over` ends the watch. */
export function whenStill(measure: () => number, ms: number, over: AbortSignal): AbortSignal {
  const still = new AbortController()
  const began = Date.now()
  let [moved, last] = [began, measure()]
  const looking = setInterval(() => {
    const now = measure()
    if (now !== last) [moved, last] = [Date.now(), now]
    if (Date.now() - moved >= ms || Date.now() - began >= circles * ms) still.abort()
  }, lookMs)
  over.addEventListener('abort', () => clearInterval(looking), { once: true })
  return still.signal
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // no process is left
  }
}
