/** `lastgood config`: the effective value of every setting, and where it came from. */
import { Command } from 'commander'
import { setUp, withCommonOptions, type CommonOptions } from '../common-options.ts'
import type { CliContext } from '../context.ts'
import { endWith, failureJson, failureOf } from '../failure.ts'
import { exampleOf } from '../help-example.ts'
import { table } from '../table.ts'
import { terminalOf } from '../terminal.ts'
import { jsonDocument, safeLine } from '../text.ts'
import { settingsOf, type Known, type Setting } from './settings.ts'

export function configCommand(context: CliContext): Command {
  return withCommonOptions(new Command('config'))
    .summary('show every setting here, and where it comes from')
    .description(
      'show every setting here: its value, and whether it comes from a flag, the environment, the file or the default',
    )
    .addHelpText(
      'after',
      `\nRead-only, and opens no store. For secrets it only says whether they are set.\n${exampleOf('lastgood config', 'REDIS_URL=redis://127.0.0.1:6379 lastgood config --json')}`,
    )
    .action((options: CommonOptions) => config(context, options))
}

async function config(context: CliContext, options: CommonOptions): Promise<void> {
  const { stdout, env } = context
  const { known, failure } = await knownTo(context, options)
  const settings = settingsOf(context, known)
  if (options.json) {
    const document = { schema: 'lastgood.config/v1', settings, ...(failure && failureJson(failure)) }
    stdout.write(jsonDocument(document))
  } else {
    const { palette } = terminalOf(stdout, env, options.color)
    // The value comes last and is never cut, so that it can be copied.
    const rows = settings.map((one) => [one.name, originText(one), valueText(one)].map((text) => ({ text })))
    for (const line of table(['SETTING', 'FROM', 'VALUE'], rows, Infinity, palette)) stdout.write(`${line}\n`)
  }
  endWith(context, failure)
}

/** A file that cannot be loaded does not hide the rest. */
async function knownTo(context: CliContext, options: CommonOptions) {
  const known: Known = { options, store: undefined, loaded: undefined }
  try {
    const place = await setUp(context, options, true)
    known.store = place.choices[0]
    known.loaded = place.config()
    return { known }
  } catch (error) {
    return { known, failure: failureOf(error) }
  }
}

function originText({ from, by }: Setting): string {
  if (from === 'default') return 'default'
  return from === 'file' ? 'the file' : safeLine(by ?? from)
}

function valueText({ value }: Setting): string {
  if (typeof value === 'boolean') return value ? 'set' : 'not set'
  return value === null ? 'none' : safeLine(value)
}
