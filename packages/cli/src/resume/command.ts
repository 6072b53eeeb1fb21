/** `lastgood resume`: its arguments. */
import { Command, Option } from 'commander'
import { sessionWords, jsonlOption, withCommonOptions } from '../common-options.ts'
import type { CliContext } from '../context.ts'
import { exampleOf } from '../help-example.ts'
import { durationOption } from '../option-values.ts'
import { packageVersion } from '../built.ts'
import { resume, type ResumeOptions } from './resume.ts'
import { resumeWhich } from './which.ts'

/** `commands`: the program's other commands, to recognise an argument that looks like one. */
export function resumeCommand(context: CliContext, commands: () => readonly string[]): Command {
  return withCommonOptions(new Command('resume'))
    .description('continue a session from its last good turn')
    .argument('[session]', `${sessionWords}; without it: pick one`)
    .argument('[message...]', 'starts a new turn after the open one, or in place of a refused one')
    .option('--takeover', 'take the session from the process that holds it')
    .option(
      '--max-wait <duration>',
      'how long to wait out an outage: 90s, 10m, 2h (default: 24h)',
      durationOption('write 90s, 10m, 2h, 1h30m or 7d.'),
    )
    .addOption(
      new Option('--in-doubt <answer>', 'the answer for tool calls in doubt whose rule is ask').choices([
        'rerun',
        'report',
        'ask',
      ]),
    )
    .option('--adopt', "send today's system, tools and parameters instead of the pinned ones; the cache is then cold")
    .option('--dry-run', 'show what would be done and what it costs; send nothing')
    .option('--no-input', 'never ask, even on a terminal')
    .option('--yes', 'whatever the cost (confirmAboveUsd of the configuration file)')
    .option('--no-page', "do not ask the API's status page (LASTGOOD_STATUS_URL)")
    .addOption(jsonlOption('one JSON line on stdout for each event, the outcome last'))
    .option('--quiet', 'print only the reply and errors')
    .version(packageVersion())
    .addHelpText('after', exampleOf('resume', 'resume last', 'resume fix-auth "Now the docs" --max-wait 2h'))
    .action(async (session: string | undefined, words: string[], options: ResumeOptions & { maxWait?: number }) => {
      const { maxWait: maxWaitMs, ...rest } = options
      const all = maxWaitMs === undefined ? rest : { ...rest, maxWaitMs }
      context.setExitCode(
        session === undefined
          ? await resumeWhich(context, all, commands())
          : await resume(context, session, words, all, commands()),
      )
    })
}
