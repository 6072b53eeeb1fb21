/**
 * The program: its commands, and what becomes of their errors.
 *
 * `main` runs one command line in a context and returns the exit code; it neither ends the process nor reads from it.
 */
import { Command, CommanderError } from 'commander'
import { packageVersion } from './built.ts'
import type { CliContext } from './context.ts'
import { commandsFor } from './commands.ts'
import { completeCommand } from './completion/command.ts'
import { exampleOf } from './help-example.ts'
import { exitCodes } from './exit-codes.ts'
import { errorPage, reportFailure, writeFailureJson } from './failure.ts'
import { safeText } from './text.ts'

export async function main(outside: Omit<CliContext, 'setExitCode'>): Promise<number> {
  let exitCode: number = exitCodes.done
  const context: CliContext = { ...outside, setExitCode: (code) => void (exitCode = code) }
  const wantsJson = asksForJson(context.argv)
  let help = 'lastgood --help'
  try {
    const program = await programFor(context)
    const named = program.commands.find((command) => command.name() === context.argv[0])
    if (named) help = helpOf(named)
    const [first, asked] = context.argv
    // Commander would show the general help, without a word about the unknown command.
    const isLost = first === 'help' && asked !== undefined && !program.commands.some((one) => one.name() === asked)
    await program.parseAsync(isLost ? [asked] : [...context.argv], { from: 'user' })
    return exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportFailure(context, error, wantsJson)
    // Help and version, which commander has written.
    if (error.exitCode === 0) return exitCodes.done
    if (wantsJson) {
      writeFailureJson(context, {
        code: 'bad-option',
        message: error.message.replace(/^error: /, ''),
        causes: [],
        hint: help,
        docs: errorPage('bad-option'),
        details: {},
        exitCode: exitCodes.usage,
      })
    }
    return exitCodes.usage
  }
}

async function programFor(context: CliContext): Promise<Command> {
  const program = new Command('lastgood')
    .description('Keeps coding-agent sessions alive and continues them from their last good turn.')
    .version(packageVersion())
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .showHelpAfterError('(lastgood --help lists the commands)')
  for (const command of await commandsFor(context)) program.addCommand(command)
  program.addCommand(
    completeCommand(context, () => program),
    { hidden: true },
  )
  program.addHelpText(
    'after',
    `${exampleOf('lastgood resume last', 'lastgood run -- claude')}

Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 set-up, 5 busy, 6 journal,
75 suspended: run it again`,
  )
  for (const command of program.commands) command.showHelpAfterError(`  next: ${helpOf(command)}`)
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(safeText(text)),
      getOutHelpWidth: () => context.stdout.columns ?? 80,
      getErrHelpWidth: () => context.stderr.columns ?? 80,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
  }
  return program
}

const helpOf = (command: Command): string => `lastgood ${command.name()} --help`

function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end === -1 ? argv : argv.slice(0, end)).some((word) => word === '--json' || word === '--jsonl')
}
