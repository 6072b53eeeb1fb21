/** The real process as a context: commands get arguments and environment only from here. */
import { homedir, userInfo } from 'node:os'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { systemClock } from '@lastgood/core'
import type { CliContext, Keyboard, StopSignal, Warning } from './context.ts'
import { signalCodes } from './exit-codes.ts'

export function nodeContext(cwd = process.cwd()): CliContext {
  return {
    argv: process.argv.slice(2),
    env: process.env,
    cwd,
    // An empty HOME is no folder.
    home: homedir() || userInfo().homedir,
    stdin: { isTTY: process.stdin.isTTY, line },
    keyboard: keyboard(),
    stdout: process.stdout,
    stderr: process.stderr,
    clock: systemClock,
    node: { version: process.version },
    onStop,
    onWarning,
    setExitCode: (code) => void (process.exitCode = code),
  }
}

function keyboard(): Keyboard | undefined {
  const { stdin: input, stderr: output } = process
  return input.isTTY && output.isTTY ? { input, output } : undefined
}

async function line(): Promise<string | undefined> {
  // An input signals its end once: a second reader would hear nothing, and the process would end while it asks.
  if (process.stdin.readableEnded) return undefined
  // An earlier question has unref'd it.
  process.stdin.ref()
  const reader = createInterface({ input: process.stdin })
  try {
    for await (const text of reader) return text
    return undefined
  } finally {
    reader.close()
    // An open terminal would keep the process alive.
    process.stdin.unref()
  }
}

/** The first signal goes to the listener; the second ends the process at once, unless it goes there too. */
function onStop(listener: (signal: StopSignal) => void, second: 'exits' | 'is told' = 'exits'): () => void {
  let isAsked = false
  const onSignal = (signal: NodeJS.Signals) => {
    if (isAsked && second === 'exits') process.exit(signalCodes[signal as StopSignal])
    isAsked = true
    listener(signal as StopSignal)
  }
  for (const signal of Object.keys(signalCodes)) process.on(signal, onSignal)
  return () => {
    for (const signal of Object.keys(signalCodes)) process.off(signal, onSignal)
  }
}

function onWarning(listener: (warning: Warning) => void): void {
  // Node prints warnings with a listener of this name. The others are not ours to remove.
  for (const one of process.listeners('warning')) if (one.name === 'onWarning') process.off('warning', one)
  process.on('warning', listener)
}
