/**
 * The real beginning and end of a command line.
 *
 * 1. The process ends when the command has ended, even while a configuration keeps connections open, and not before
 *    what was written has left.
 * 2. A reader that went away (`lastgood list | head`) ends it quietly.
 * 3. What only says which version this is loads nothing else.
 */
import process from 'node:process'
import { packageVersion } from './built.ts'

/** Runs the program on this process. `before`: words put before the arguments. */
export async function runProcess(...before: readonly string[]): Promise<void> {
  const [first, ...more] = process.argv.slice(2)
  const isVersionAsked = more.length === 0 && (first === '--version' || first === '-V')
  const streams = [process.stdout, process.stderr]
  for (const stream of streams) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      process.exit(error.code === 'EPIPE' ? 0 : 1)
    })
  }
  const code = isVersionAsked ? tellVersion() : await run(before)
  await Promise.all(streams.map((stream) => new Promise((resolve) => stream.write('', resolve))))
  process.exit(code)
}

function tellVersion(): number {
  process.stdout.write(`${packageVersion()}\n`)
  return 0
}

async function run(before: readonly string[]): Promise<number> {
  const [{ nodeContext }, { main }] = await Promise.all([import('./node-context.ts'), import('./program.ts')])
  const context = nodeContext()
  return main({ ...context, argv: [...before, ...context.argv] })
}
