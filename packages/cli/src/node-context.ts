/** The real process as a context: the only file that reads arguments and environment. */
import { homedir } from 'node:os'
import process from 'node:process'
import { systemClock } from '@lastgood/core'
import type { CliContext, StopSignal } from './context.ts'
import { signalCodes } from './exit-codes.ts'

export function nodeContext(): CliContext {
  const features: object = process.features
  return {
    argv: process.argv.slice(2),
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    clock: systemClock,
    node: { version: process.version, importsTypeScript: 'typescript' in features && Boolean(features.typescript) },
    onStop,
    setExitCode: (code) => void (process.exitCode = code),
  }
}

/** The first Ctrl+C is the listener's to answer, the second ends the process at once. */
function onStop(listener: (signal: StopSignal) => void): () => void {
  let isAsked = false
  const onSignal = (signal: NodeJS.Signals) => {
    if (isAsked) process.exit(signalCodes[signal as StopSignal])
    isAsked = true
    listener(signal as StopSignal)
  }
  for (const signal of Object.keys(signalCodes)) process.on(signal, onSignal)
  return () => {
    for (const signal of Object.keys(signalCodes)) process.off(signal, onSignal)
  }
}
