/**
 * The program: its commands, and what becomes of their errors.
 *
 * `main` runs one command line in a context and gives the exit code; it never ends the process and never reads it.
 */
import { Command, CommanderError } from 'commander'
import type { CliContext } from './context.ts'
import { completeCommand, completionCommand } from './completion/command.ts'
import { dashboardCommand } from './dashboard/command.ts'
import { demoCommand } from './demo/command.ts'
import { exportCommand } from './export/command.ts'
import { doctorCommand } from './doctor/command.ts'
import { configCommand } from './settings/command.ts'
import { exitCodes } from './exit-codes.ts'
import { failureJson, reportFailure } from './failure.ts'
import { gatewayCommand } from './gateway/command.ts'
import { forkCommand } from './fork/command.ts'
import { importCommand } from './import/command.ts'
import { listCommand } from './list/command.ts'
import { pinCommand, unpinCommand } from './pin/command.ts'
import { pruneCommand } from './prune/command.ts'
import { repairCommand } from './repair/command.ts'
import { resumeCommand } from './resume/command.ts'
import { rewindCommand } from './rewind/command.ts'
import { runCommand } from './run/command.ts'
import { showCommand } from './show/command.ts'
import { statusCommand } from './status/command.ts'
import { safeJson, safeText } from './text.ts'
import { packageVersion } from './version.ts'
import { watchCommand } from './watch/command.ts'

export async function main(outside: Omit<CliContext, 'setExitCode'>): Promise<number> {
  let exitCode: number = exitCodes.done
  const context: CliContext = { ...outside, setExitCode: (code) => void (exitCode = code) }
  const wantsJson = asksForJson(context.argv)
  try {
    await programFor(context).parseAsync([...context.argv], { from: 'user' })
    return exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportFailure(context, error, wantsJson)
    // Help and version, which commander has written.
    if (error.exitCode === 0) return exitCodes.done
    if (wantsJson) {
      const failure = {
        code: 'bad-option',
        message: error.message.replace(/^error: /, ''),
        causes: [],
        hint: 'lastgood --help',
        docs: 'docs/errors/bad-option.md',
        details: {},
      }
      const document = failureJson({ ...failure, exitCode: exitCodes.usage, stack: undefined })
      context.stdout.write(`${safeJson({ schema: 'lastgood.error/v1', ...document })}\n`)
    }
    return exitCodes.usage
  }
}

function programFor(context: CliContext): Command {
  const program = new Command('lastgood')
    .description('Keeps coding-agent sessions alive, and goes on with them from their last good turn.')
    .version(packageVersion())
    .showHelpAfterError('(lastgood --help shows what there is)')
  program.addCommand(resumeCommand(context, () => program.commands.map((command) => command.name())))
  program.addCommand(listCommand(context))
  program.addCommand(showCommand(context))
  program.addCommand(watchCommand(context))
  program.addCommand(statusCommand(context))
  program.addCommand(rewindCommand(context))
  program.addCommand(forkCommand(context))
  program.addCommand(repairCommand(context))
  program.addCommand(exportCommand(context))
  program.addCommand(importCommand(context))
  program.addCommand(pinCommand(context))
  program.addCommand(unpinCommand(context))
  program.addCommand(pruneCommand(context))
  program.addCommand(doctorCommand(context))
  program.addCommand(configCommand(context))
  program.addCommand(gatewayCommand(context))
  program.addCommand(dashboardCommand(context))
  program.addCommand(runCommand(context))
  program.addCommand(demoCommand(context))
  program.addCommand(completionCommand(context))
  program.addCommand(
    completeCommand(context, () => program),
    { hidden: true },
  )
  program.addHelpText(
    'after',
    '\nExit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 set-up, 5 busy, 6 journal, 75 suspended: run it again',
  )
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

function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end === -1 ? argv : argv.slice(0, end)).some((word) => word === '--json' || word === '--jsonl')
}
