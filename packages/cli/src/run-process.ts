/**
 * The real beginning and end of a command line.
 *
 * 1. The process ends when the command has ended, even while a configuration keeps connections open, and not before
 *    what was written has left.
 * 2. A reader that went away (`lastgood list | head`) ends it quietly.
 */
import process from 'node:process'
import { exitCodes } from './exit-codes.ts'
import { nodeContext } from './node-context.ts'
import { main } from './program.ts'

/** Runs the program on this process. `before`: words put before the arguments. */
export async function runProcess(...before: readonly string[]): Promise<void> {
  const streams = [process.stdout, process.stderr]
  for (const stream of streams) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      process.exit(error.code === 'EPIPE' ? exitCodes.done : exitCodes.failed)
    })
  }
  const context = nodeContext()
  const code = await main({ ...context, argv: [...before, ...context.argv] })
  await Promise.all(streams.map((stream) => new Promise((resolve) => stream.write('', resolve))))
  process.exit(code)
}
