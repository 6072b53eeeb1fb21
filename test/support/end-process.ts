import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** Asks the process to end, and kills it if it has not within `patienceMs`. Resolves when it is gone. */
export async function endProcess(
  child: ChildProcess,
  { signal = 'SIGTERM' as NodeJS.Signals, patienceMs = 5_000 } = {},
): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  const late = setTimeout(() => child.kill('SIGKILL'), patienceMs)
  await gone
  clearTimeout(late)
}
