/** Commands in this very process: a context whose outputs are text, and sessions to look at. */
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, type EntryBody, type Owner, type Store, openSession, systemClock } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { onTestFinished } from 'vitest'
import { newFolder } from '../../../test/support/folder.ts'
import type { CliContext, StopSignal } from '../src/context.ts'
import { main } from '../src/program.ts'

export { newFolder }

export class Collector {
  text = ''
  isTTY = false
  columns = 100
  write(text: string): void {
    this.text += text
  }
}

export interface Ran {
  code: number
  stdout: string
  stderr: string
}

export interface Run extends Promise<Ran> {
  stdout: Collector
  stderr: Collector
  stop(signal: StopSignal): void
}

/** Runs one command line; `stop` is Ctrl+C. */
export function run(argv: readonly string[], changes: Partial<CliContext> = {}): Run {
  const [stdout, stderr] = [new Collector(), new Collector()]
  const listeners = new Set<(signal: StopSignal) => void>()
  const done = main({
    argv,
    cwd: changes.cwd ?? tmpdir(),
    home: changes.cwd ?? tmpdir(),
    stdin: {},
    stdout,
    stderr,
    clock: systemClock,
    node: { version: 'v20.20.2' },
    onStop(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    onWarning: () => {},
    ...changes,
    // No test asks the real status page.
    env: { LASTGOOD_STATUS_URL: 'off', ...changes.env },
  }).then((code): Ran => ({ code, stdout: stdout.text, stderr: stderr.text }))
  const stop = (signal: StopSignal) => {
    for (const listener of listeners) listener(signal)
  }
  return Object.assign(done, { stdout, stderr, stop })
}

/** A folder with a store in `state`, and a configuration of agents that are written as code of an object. */
export function project(agents = ''): { cwd: string; store: Store } {
  const cwd = newFolder()
  if (agents !== '')
    writeFileSync(join(cwd, 'lastgood.config.mjs'), `export default { store: './state', agents: { ${agents} } }\n`)
  return { cwd, store: fileStore({ dir: join(cwd, 'state') }) }
}

/** An agent that finishes what is open without asking anybody. */
export const obliging = `coder: { name: 'coder', async run(session, input) {
  if (input !== undefined) await session.startTurn([{ role: 'user', content: input }], 'coder')
  const message = { id: 'msg_' + session.seq, role: 'assistant', model: 'm', content: [{ type: 'text', text: 'Done.' }], stop_reason: 'end_turn' }
  await session.record([
    { type: 'request-sent', model: 'm', attempt: session.context.attempt + 1 },
    { type: 'response-received', message },
    { type: 'turn-ended', turn: session.turn },
  ])
  return { turn: session.turn, text: 'All ' + 'done.', content: [] }
} }`

const nobody: Owner = { id: 'nobody', host: 'gone.test', realm: 'another machine', pid: 1 }

/** Writes a session and leaves it as a closed or (`isHeld`) a live process would. */
export async function seed(
  store: Store,
  id: string,
  bodies: readonly EntryBody[],
  isHeld = false,
  clock: Clock = systemClock,
): Promise<void> {
  const session = await openSession(id, { store, cwd: '/projects/there', owner: { ...nobody, id }, clock })
  await session.record(bodies)
  if (isHeld) onTestFinished(() => session.close())
  else await session.close()
}

export const started = (turn: number, text = 'Make it green'): EntryBody => ({
  type: 'turn-started',
  turn,
  agent: 'coder',
  messages: [{ role: 'user', content: text }],
})
export const sent = (attempt = 1): EntryBody => ({ type: 'request-sent', model: 'claude-opus-5-5', attempt })
export const ended = (turn: number): EntryBody => ({ type: 'turn-ended', turn })

export function answered(text: string, ...calls: { id: string; name: string; input: unknown }[]): EntryBody {
  return {
    type: 'response-received',
    message: {
      id: `msg_${text}`,
      role: 'assistant',
      model: 'claude-opus-5-5',
      content: [{ type: 'text', text }, ...calls.map((call) => ({ type: 'tool_use', ...call }))],
      stop_reason: calls.length > 0 ? 'tool_use' : 'end_turn',
      usage: { input_tokens: 100, cache_read_input_tokens: 900, output_tokens: 50 },
    },
  }
}

export function overloaded(waitMs: number, at: number): EntryBody {
  return {
    type: 'fault-observed',
    fault: { kind: 'overloaded', status: 529, errorType: 'overloaded_error', message: 'Overloaded' },
    decision: { kind: 'retry', at: at + waitMs },
  }
}
