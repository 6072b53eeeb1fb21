/** `lastgood resume`: its arguments, and the list that it shows when none is given. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { jsonlOption, setUp, withCommonOptions } from '../common-options.ts'
import type { CliContext } from '../context.ts'
import { parseDuration } from '../durations.ts'
import { exitCodes } from '../exit-codes.ts'
import { sessionJson } from '../list/session-json.ts'
import { resumeCommandFor, sessionRows } from '../sessions.ts'
import { safeJson, safeLine } from '../text.ts'
import { packageVersion } from '../version.ts'
import { resume, type ResumeOptions } from './resume.ts'

/** `commands`: the other commands of the program, for arguments that look like one. */
export function resumeCommand(context: CliContext, commands: () => readonly string[]): Command {
  return withCommonOptions(new Command('resume'))
    .description('go on with a session from its last good turn')
    .argument('[session]', 'a session id, or last: the one that was written last')
    .argument('[message...]', 'starts a new turn after what is open')
    .option('--takeover', 'take the session from the process that holds it')
    .option('--max-wait <duration>', 'how long an outage is waited out: 90s, 10m, 2h (default: 24h)', duration)
    .addOption(
      new Option('--in-doubt <answer>', 'tool calls of unknown outcome whose rule is to ask').choices([
        'rerun',
        'report',
        'ask',
      ]),
    )
    .option('--adopt', "send today's system, tools and parameters instead of those that are pinned; the cache is cold")
    .option('--dry-run', 'say what would be done and what it costs; nothing is sent')
    .option('--yes', 'whatever it costs (confirmAboveUsd of the configuration file)')
    .option('--no-page', "do not ask the API's status page (LASTGOOD_STATUS_URL)")
    .addOption(jsonlOption('one JSON line on stdout for each event, the outcome last'))
    .option('--quiet', 'only the reply and errors')
    .version(packageVersion())
    .action(async (session: string | undefined, words: string[], options: ResumeOptions & { maxWait?: number }) => {
      const { maxWait: maxWaitMs, ...rest } = options
      const all = maxWaitMs === undefined ? rest : { ...rest, maxWaitMs }
      context.setExitCode(
        session === undefined ? await askWhich(context, all) : await resume(context, session, words, all, commands()),
      )
    })
}

function duration(text: string): number {
  try {
    return parseDuration(text, '--max-wait')
  } catch {
    throw new InvalidArgumentError('write 90s, 10m, 2h, 1h30m or 7d.')
  }
}

/** Without a session: what could be resumed, and how. */
async function askWhich(context: CliContext, options: ResumeOptions): Promise<number> {
  const { choices, flags } = await setUp(context, options, false)
  const { store, source, close } = await choices[0].open()
  try {
    const { rows, failure } = await sessionRows(store)
    const recoverable = rows.filter(({ isRecoverable }) => isRecoverable)
    const { stderr, stdout, clock } = context
    const place = `${safeLine(store.location)} (${safeLine(source)})`
    if (recoverable.length === 0) {
      stderr.write(`error: name a session; there is none to resume in ${place}\n  next: lastgood list --all\n`)
    } else {
      stderr.write(`error: name a session; these can be resumed in ${place}\n`)
      for (const { head, status } of recoverable) {
        const what = [head.agent, `turn ${head.turn}`, head.reason].filter((fact) => fact !== undefined).join(' · ')
        stderr.write(`  ${status.padEnd(11)} ${safeLine(what)}\n    ${resumeCommandFor(head.sessionId, flags)}\n`)
      }
    }
    if (options.json || options.jsonl) {
      const error = { code: 'needs-input', message: 'name a session', causes: [], hint: 'lastgood list', details: {} }
      const sessions = recoverable.map((row) => sessionJson(row, clock.now(), flags))
      stdout.write(`${safeJson({ schema: 'lastgood.error/v1', error, exitCode: exitCodes.usage, sessions })}\n`)
    }
    if (failure !== undefined) throw failure
    return exitCodes.usage
  } finally {
    await close()
  }
}
