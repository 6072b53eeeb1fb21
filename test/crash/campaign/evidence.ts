/**
 * What can be known of a session from outside: its journal, what its tools left in the effects file, what its processes
 * reported before they died, and what the lab got. Nothing here trusts the process that was killed.
 */
import type { Entry, InDoubt } from '@lastgood/core'
import type { RecordedRequest } from '@lastgood/outage-lab'

/** A line of the effects file: one write each, with O_APPEND. */
export type EffectLine =
  | { at: 'begin'; call: string; key: string; name: string; rule: InDoubt; life: number; seq: number }
  | { at: 'effect'; call: string; item: number; life: number }
  | { at: 'verify'; call: string; verdict: 'done' | 'not-done'; life: number }
  | { at: 'end'; call: string; life: number }

/** A line of a process's stdout. */
export type Said =
  | { opened: number }
  | { entry: { seq: number; type: string; digest: string } }
  | { began: string }
  | { reply: { turn: number; text: string } }
  | { asks: string }
  | { finished: true }

export type Answers = Readonly<Record<string, 'rerun' | 'report'>>

export interface Life {
  /** What a person said about calls in doubt before it began. */
  answers: Answers
  said: readonly Said[]
  end: 'killed' | 'finished' | 'asks' | 'not-now' | 'failed' | 'stuck'
  /** The stderr of a process that failed. */
  stderr: string
}

export interface Evidence {
  session: string
  lives: readonly Life[]
  journal: readonly Entry[]
  /** The machine's state by the journal, and whether the session is still held. */
  state: string
  isHeld: boolean
  effects: readonly EffectLine[]
  requests: readonly Pick<RecordedRequest, 'n' | 'outcome' | 'violation'>[]
}

/** The whole lines of a text; a last line torn by a kill does not count. */
export function linesOf<T>(text: string): T[] {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  return whole.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as T]))
}
