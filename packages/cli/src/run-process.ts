/**
 * The real beginning and end of a command line.
 *
 * 1. The process ends when the command has ended, even while a configuration keeps connections open, but not before its
 *    output has been written.
 * 2. If the reader goes away (`lastgood list | head`), a read-only command ends quietly. A command that changes
 *    something goes on: a turn is not given up because nobody looks. Output that cannot be written, on a full disk say,
 *    is reported.
 * 3. `--version` alone loads no command.
 * 4. A Node that is too old is told so. Nothing else is loaded there: an import may already fail.
 */
import process from 'node:process'
import { oldestNode, packageVersion } from './built.ts'
import { readers } from './commands.ts'

/** Runs the program in this process. `before`: words put before the arguments. */
export async function runProcess(...before: readonly string[]): Promise<void> {
  const [first, ...more] = process.argv.slice(2)
  const isVersionAsked = more.length === 0 && (first === '--version' || first === '-V')
  const streams = [process.stdout, process.stderr]
  const goesOn = !readers.has(before[0] ?? first ?? 'help')
  let isLost = false
  for (const stream of streams) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      const isGone = error.code === 'EPIPE'
      if (!isGone && !isLost && stream !== process.stderr) process.stderr.write(cannotWrite(error))
      isLost ||= !isGone
      if (!goesOn) process.exit(isGone ? 0 : 1)
    })
  }
  const code = isVersionAsked ? tellVersion() : await run(before)
  await Promise.all(streams.map((stream) => new Promise((resolve) => stream.write('', resolve))))
  process.exit(code === 0 && isLost ? 1 : code)
}

const cannotWrite = ({ code = 'unknown' }: NodeJS.ErrnoException): string =>
  `error: the output cannot be written (${code})\n  next: the same command, with its output in a place that takes it\n`

function tellVersion(): number {
  process.stdout.write(`${packageVersion()}\n`)
  return 0
}

async function run(before: readonly string[]): Promise<number> {
  const oldest = oldestNode()
  if (isOlder(process.versions.node, oldest)) return tellOldNode(oldest)
  const [{ nodeContext }, { main }] = await Promise.all([import('./node-context.ts'), import('./program.ts')])
  const folder = workingFolder()
  if (folder === undefined) return tellFolderGone()
  const context = nodeContext(folder)
  return main({ ...context, argv: [...before, ...context.argv] })
}

/** Of versions as `20.19` or `20.19.1`. */
function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, 'en', { numeric: true }) < 0
}

function tellOldNode(oldest: string): number {
  process.stderr.write(
    `error: lastgood needs Node ${oldest} or newer, and this is ${process.versions.node}\n` +
      '  next: install a newer one (https://nodejs.org), then the same command again\n',
  )
  // `exitCodes.setUp`, from a module that loads core.
  return 4
}

/** Undefined if it was removed: a redeploy may have replaced it. */
function workingFolder(): string | undefined {
  try {
    return process.cwd()
  } catch {
    return undefined
  }
}

async function tellFolderGone(): Promise<number> {
  const { exitCodes } = await import('./exit-codes.ts')
  process.stderr.write(
    'error: the folder this was started in is gone\n  next: cd "$PWD", then the same command again\n',
  )
  return exitCodes.setUp
}
