/**
 * A terminal that a test can type into: a program runs in a real pseudo-terminal, and what it writes goes to the screen
 * of a terminal emulator, so that redraws are judged as a person sees them.
 *
 *     const terminal = openTerminal(['resume'], { cwd, env: { LASTGOOD_STORE: './state' } })
 *     await terminal.shows('Which session?')
 *     terminal.press('down', 'enter')
 *     expect(await terminal.ended).toMatchObject({ code: 0 })
 *
 * 1. Tests wait for what the screen shows, never for time; what never comes fails with the screen as it is.
 * 2. The program sees the environment it is given, and of the test's own only PATH: no CI, no settings.
 * 3. It ends with the test.
 */
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { spawn } from '@lydell/node-pty'
import headless from '@xterm/headless'
import { onTestFinished } from 'vitest'

export interface TerminalOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  readonly columns?: number
  readonly rows?: number
}

export interface TestTerminal {
  readonly pid: number
  /** The screen as a person sees it now: a line for each row, without trailing blanks. */
  screen(): string
  /** The screen and everything that has scrolled off it; long lines are not wrapped. */
  everything(): string
  /** All that was written, escape sequences and all. */
  written(): string
  /** Waits until the screen shows it, and returns the screen of that moment. */
  shows(what: string | RegExp): Promise<string>
  /** Waits until the screen does not show it (any more). */
  hides(what: string | RegExp): Promise<string>
  /** Writes text as if it were typed. */
  type(text: string): void
  press(...keys: readonly Key[]): void
  resize(columns: number, rows: number): void
  kill(signal?: NodeJS.Signals): void
  /** Resolves when the program has ended and all that it wrote is on the screen. */
  readonly ended: Promise<{ code: number; signal: number; screen: string }>
}

const keys = {
  enter: '\r',
  escape: '\u001b',
  up: '\u001b[A',
  down: '\u001b[B',
  tab: '\t',
  space: ' ',
  backspace: '\u007f',
  'ctrl-a': '\u0001',
  'ctrl-c': '\u0003',
  'ctrl-d': '\u0004',
  'ctrl-z': '\u001a',
} as const

export type Key = keyof typeof keys

/** Long enough on a machine that is busy with other tests; below a test's own limit, so that the screen is reported. */
const patienceMs = 25_000

/** Runs `lastgood …` or `resume …`, as they are built, or any other program by its path. */
export function openTerminal(words: readonly [string, ...string[]], options: TerminalOptions): TestTerminal {
  const { cwd, env = {}, columns = 100, rows = 30 } = options
  const [file, ...argv] = commandOf(words)
  const emulator = new headless.Terminal({ cols: columns, rows, scrollback: 10_000, allowProposedApi: true })
  const child = spawn(file, argv, {
    name: env['TERM'] ?? 'xterm-256color',
    cols: columns,
    rows,
    cwd,
    env: { PATH: process.env['PATH'], HOME: cwd, LASTGOOD_STATUS_URL: 'off', ...env },
  })
  const watchers = new Set<() => void>()
  const told = () => {
    for (const watcher of watchers) watcher()
  }
  let written = ''
  let isEnded = false
  let isDrawn = false
  child.onData((data) => {
    written += data
    emulator.write(data, told)
  })
  // Answers what the program asks of a terminal (where is the cursor?).
  emulator.onData((data) => {
    if (!isEnded) child.write(data)
  })
  const screen = () => linesOf(emulator, emulator.buffer.active.viewportY).join('\n').trimEnd()
  const ended = new Promise<Awaited<TestTerminal['ended']>>((resolve) => {
    child.onExit(({ exitCode, signal = 0 }) => {
      isEnded = true
      emulator.write('', () => {
        isDrawn = true
        resolve({ code: exitCode, signal, screen: screen() })
        told()
      })
    })
  })
  onTestFinished(async () => {
    if (!isEnded) child.kill('SIGKILL')
    await ended
    emulator.dispose()
  })

  /** Resolves with the first screen of which `isRight`. */
  const until = (isRight: (text: string) => boolean, what: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const settle = (answer: () => void) => {
        watchers.delete(look)
        clearTimeout(timer)
        answer()
      }
      const fail = (why: string) => settle(() => reject(new Error(`${why} ${what}; the screen:\n${screen()}`)))
      const look = () => {
        const now = screen()
        if (isRight(now)) settle(() => resolve(now))
        else if (isDrawn) fail('the program ended before')
      }
      const timer = setTimeout(() => fail(`waited ${patienceMs / 1000} s for`), patienceMs)
      watchers.add(look)
      look()
    })

  return {
    pid: child.pid,
    screen,
    everything: () => unwrapped(emulator).trimEnd(),
    written: () => written,
    shows: (what) => until((text) => isIn(what, text), `a screen with ${String(what)}`),
    hides: (what) => until((text) => !isIn(what, text), `a screen without ${String(what)}`),
    type: (text) => child.write(text),
    press(...names) {
      for (const name of names) child.write(keys[name])
    },
    resize(columnsNow, rowsNow) {
      emulator.resize(columnsNow, rowsNow)
      child.resize(columnsNow, rowsNow)
    },
    kill: (signal = 'SIGKILL') => child.kill(signal),
    ended,
  }
}

function commandOf([first, ...rest]: readonly [string, ...string[]]): [string, ...string[]] {
  if (first !== 'lastgood' && first !== 'resume') return [first, ...rest]
  const built = new URL(`../../packages/cli/dist/bin/${first}.js`, import.meta.url)
  return [process.execPath, fileURLToPath(built), ...rest]
}

const isIn = (what: string | RegExp, text: string) => (typeof what === 'string' ? text.includes(what) : what.test(text))

function linesOf({ buffer, rows }: headless.Terminal, from: number): string[] {
  return Array.from(
    { length: rows },
    (_, row) =>
      buffer.active
        .getLine(from + row)
        ?.translateToString()
        .trimEnd() ?? '',
  )
}

function unwrapped({ buffer }: headless.Terminal): string {
  let text = ''
  for (let row = 0; row < buffer.active.length; row += 1) {
    const line = buffer.active.getLine(row)
    const isCut = buffer.active.getLine(row + 1)?.isWrapped === true
    if (row > 0 && line?.isWrapped !== true) text += '\n'
    const words = line?.translateToString() ?? ''
    text += isCut ? words : words.trimEnd()
  }
  return text
}
