/**
 * Everything that a command may know of the process it runs in. `node-context.ts` makes it from the real one; tests make
 * their own and run commands in-process.
 */
import type { ReadStream, WriteStream } from 'node:tty'
import type { Clock } from '@lastgood/core'

/** Where text goes: a stream of Node, or a test's collector. */
export interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

/** A person at a terminal: what is typed, and where prompts are drawn. */
export interface Keyboard {
  readonly input: ReadStream
  readonly output: WriteStream
}

export type Env = Readonly<Record<string, string | undefined>>

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/** A warning of `process.emitWarning`. */
export type Warning = Pick<Error, 'name' | 'message'> & { readonly code?: string }

export interface CliContext {
  /** The arguments after the program's name. */
  readonly argv: readonly string[]
  readonly env: Env
  readonly cwd: string
  /** The user's home folder. */
  readonly home: string
  readonly stdin: {
    readonly isTTY?: boolean | undefined
    /** The next line that a person types, without its newline; undefined at the end of the input. */
    line?(): Promise<string | undefined>
  }
  /** Where prompts can be drawn and answered; undefined where nobody can answer. */
  readonly keyboard?: Keyboard | undefined
  /** Data. */
  readonly stdout: Output
  /** Messages for people. */
  readonly stderr: Output
  readonly clock: Clock
  /** Its version is for messages. */
  readonly node: { readonly version: string }
  /**
   * Calls `listener` when the process is asked to stop; returns a function that stops listening. `second`: what a
   * second signal does.
   */
  onStop(listener: (signal: StopSignal) => void, second?: 'exits' | 'is told'): () => void
  /** From now on `listener` gets the warnings of the process, instead of Node, which prints them as text. */
  onWarning(listener: (warning: Warning) => void): void
  /** Sets the exit code; the last call counts, and an error has a code of its own. */
  setExitCode(code: number): void
}
