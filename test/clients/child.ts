/** Processes that are heard, and ended with all that they started. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

export function listen(child: ChildProcess): () => string {
  let heard = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (piece: Buffer) => (heard += piece.toString()))
  return () => heard
}

/** Its exit code; null when it was given up: after so long, or at the signal. It leads a group, which is gone then. */
export async function ended(child: ChildProcess, patienceMs: number, signal?: AbortSignal): Promise<number | null> {
  let isGivenUp = false
  const giveUp = (): void => {
    isGivenUp = true
    endGroup(child)
  }
  const timer = setTimeout(giveUp, patienceMs)
  signal?.addEventListener('abort', giveUp)
  if (signal?.aborted) giveUp()
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    return isGivenUp ? null : code
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', giveUp)
    endGroup(child)
  }
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // nobody is left
  }
}
