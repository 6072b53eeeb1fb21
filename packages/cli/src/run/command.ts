/** `lastgood run -- <command>`: runs the command behind its own gateway, and reports what it survived. */
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { constants } from 'node:os'
import { basename } from 'node:path'
import process from 'node:process'
import { Command } from 'commander'
import { LastgoodError } from '@lastgood/core'
import { withStoreOptions } from '../common-options.ts'
import type { CliContext } from '../context.ts'
import { cloudIn } from './clouds.ts'
import { environmentOf } from './environment.ts'
import { withGateway, withGatewayOptions, type GatewayCommandOptions } from '../gateway/command.ts'
import { onlyHere } from '../server/exposure.ts'
import { exampleOf } from '../help-example.ts'

export function runCommand(context: CliContext): Command {
  return withGatewayOptions(withStoreOptions(new Command('run')))
    .description('run a command behind its own gateway; say what it survived')
    .argument('<command...>', 'the command and its arguments, after --')
    .addHelpText('after', exampleOf('lastgood run -- claude', 'lastgood run -- claude -p "Make the tests green"'))
    .action(async (words: string[], options: GatewayCommandOptions) => {
      const cloud = cloudIn(context.env)
      const outside = cloud ? cloud.upstream : context.env['ANTHROPIC_BASE_URL']
      const upstream = options.upstream ?? (outside ? [outside] : undefined)
      // On a terminal, the screen belongs to the command until it ends.
      const told = context.stderr.isTTY ? 'the sum' : 'all'
      const place = { ...onlyHere, port: 0, told, cwd: context.cwd } as const
      const given = { ...options, ...(upstream && { upstream }), ...(cloud?.isSigned && { signAws: true }) }
      const code = await withGateway(context, given, place, (url) =>
        runBehind(context, words, { ...environmentOf(url, context.env, !upstream), ...cloud?.variables(url) }),
      )
      context.setExitCode(code)
    })
}

/** The command's exit code; 128 plus the signal's number if a signal ended it, as in a shell. */
async function runBehind(
  context: CliContext,
  [name = '', ...words]: readonly string[],
  variables: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const env = { ...context.env, ...variables }
  const child = spawn(name, words, { cwd: context.cwd, env, stdio: 'inherit' })
  // The terminal's Ctrl+C reaches the command as well; the command decides what to do, and we wait for it to end.
  const forget = context.onStop((signal) => (signal !== 'SIGINT' || !hasTerminal()) && child.kill(signal), 'is told')
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', (cause: NodeJS.ErrnoException) => reject(notStarted(name, cause)))
      child.once('close', (code, signal) => resolve(code ?? (signal ? 128 + constants.signals[signal] : 1)))
    })
  } finally {
    forget()
  }
}

/** Whether there is a terminal on which to type Ctrl+C, wherever input and output go. */
function hasTerminal(): boolean {
  if (process.platform === 'win32') return true
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}

function notStarted(name: string, cause: NodeJS.ErrnoException): LastgoodError {
  const isMissing = cause.code === 'ENOENT'
  const why = isMissing ? 'there is no such command' : (cause.code ?? cause.name)
  return new LastgoodError('bad-option', `${JSON.stringify(name)} could not be started: ${why}`, {
    hint:
      isMissing && !/\s/.test(name)
        ? `install it; if it is an alias of your shell, give its file: lastgood run -- /path/to/${basename(name)}`
        : 'write the command as in a shell, after --: lastgood run -- claude',
    cause,
  })
}
