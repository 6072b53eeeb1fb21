/** Ctrl+C, SIGTERM and the end of the terminal (SIGHUP): what a command was doing is abandoned for an orderly exit, once. */
import type { CliContext, StopSignal } from './context.ts'

const stoppedBy = 'stopped by '

/** Whether the recorded detail says that a session was parked because its process was asked to stop. */
export const isStopOfProcess = (detail: string): boolean => detail.startsWith(stoppedBy)

export class Stopped extends Error {
  readonly signal: StopSignal

  constructor(signal: StopSignal) {
    super(stoppedBy + signal)
    this.name = 'Stopped'
    this.signal = signal
  }
}

export interface StopSwitch {
  /** Rejects with `Stopped` once the process is asked to stop. */
  readonly asked: Promise<never>
  /** Settles as `work` does, or rejects with `Stopped` as soon as the process is asked to stop. */
  orStopped<T>(work: Promise<T>): Promise<T>
  dispose(): void
}

export function stopSwitch(context: CliContext): StopSwitch {
  let reject: (reason: Stopped) => void = () => {}
  const stopped = new Promise<never>((_, rejectWith) => (reject = rejectWith))
  // Asked to stop while nothing is being awaited: the next `orStopped` rejects.
  stopped.catch(() => {})
  const dispose = context.onStop((signal) => reject(new Stopped(signal)))
  return { asked: stopped, orStopped: (work) => Promise.race([work, stopped]), dispose }
}

/** Runs `work`, for which being asked to stop is an ordinary end. */
export async function untilStopped(context: CliContext, work: (stop: StopSwitch) => Promise<void>): Promise<void> {
  const stop = stopSwitch(context)
  try {
    await work(stop)
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
  } finally {
    stop.dispose()
  }
}
