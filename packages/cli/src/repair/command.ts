/**
 * `lastgood repair`: what is broken in a conversation, and what is sent or written instead.
 *
 * 1. For a session it shows how its next request will be mended, and records nothing: a repair is journaled once the
 *    API has accepted it. A person can take back the repairs in force (`--revert`).
 * 2. For a file it shows the same, and with `--apply` writes it, keeping a copy of the old content.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { isLastgoodError, LastgoodError, shellWord } from '@lastgood/core'
import { withCommonOptions } from '../common-options.ts'
import type { CliContext } from '../context.ts'
import { exampleOf } from '../help-example.ts'
import { repairFile } from './file.ts'
import type { RepairOptions } from './options.ts'
import { repairSession } from './session.ts'

export function repairCommand(context: CliContext): Command {
  return withCommonOptions(new Command('repair'))
    .summary('show what the API would refuse in a conversation, and fix it')
    .description('show what the API would refuse in a conversation, and what replaces it')
    .argument('<session|file>', 'a session id, last, or a file: messages as JSON, or a session of Claude Code')
    .option('--dry-run', 'only show it (the default without --apply)')
    .addOption(new Option('--apply', 'rewrite the file, keeping a copy beside it').conflicts(['dryRun', 'revert']))
    .addOption(new Option('--revert', 'for a session: take back the repairs in force').conflicts('dryRun'))
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nA session is repaired when its next request is sent; nothing is applied before.\n' +
        exampleOf('lastgood repair last', 'lastgood repair ~/.claude/projects/my-app/4f1c.jsonl --apply'),
    )
    .action((argument: string, options: RepairOptions) =>
      isFile(context, argument) ? repairFile(context, argument, options) : repairNamed(context, argument, options),
    )
}

async function repairNamed(context: CliContext, argument: string, options: RepairOptions): Promise<void> {
  try {
    await repairSession(context, argument, options)
  } catch (error) {
    if (!isLastgoodError(error, 'session-not-found')) throw error
    const { code, message, details } = error
    if (existsSync(resolve(context.cwd, argument))) {
      const hint = `lastgood repair ${shellWord(`./${argument}`)}`
      throw new LastgoodError(code, `${message}; a file is named with its folder`, { hint, details })
    }
    if (!namesFile(argument)) throw error
    const hint = 'name the file with its folder; sessions of Claude Code: ls ~/.claude/projects'
    throw new LastgoodError(code, `${message}, and no file ${argument} in this folder`, { hint, details })
  }
}

/** No session id has a separator; without one, the argument is a file if it has the extension and exists. */
function isFile({ cwd }: CliContext, argument: string): boolean {
  return /[/\\]/.test(argument) || (namesFile(argument) && existsSync(resolve(cwd, argument)))
}

const namesFile = (argument: string): boolean => /\.jsonl?$/.test(argument)
