/**
 * Shows an outage in a program with a loop of its own: the line that `resume` has, on stderr, for as long as it lasts.
 *
 * 1. Without an outage nothing is written: turns, words and tools are the program's to show.
 * 2. It keeps no process alive, and the session does not depend on it.
 */
import process from 'node:process'
import type { Session } from '@lastgood/core'
import type { Env, Output } from '../context.ts'
import { liveRenderer } from './live-renderer.ts'

export interface ShowOutagesOptions {
  /**
   * Default: stderr. On a terminal the line is rewritten every second; elsewhere a line comes with every change, and
   * every 30 s.
   */
  output?: Output
  /** For `NO_COLOR`, `FORCE_COLOR` and `TERM`. Default: the process's. */
  env?: Env
}

/** Shows outages until the returned function is called. */
export function showOutages(session: Session, options: ShowOutagesOptions = {}): () => void {
  const { output = process.stderr, env = process.env } = options
  const renderer = liveRenderer({ output, env, clock: session.clock, shows: 'outages', from: session })
  const unsubscribe = session.subscribe((event) => renderer.onEvent(event))
  return () => {
    unsubscribe()
    renderer.stop()
  }
}
