/** `lastgood submit`: gives a fleet's workers a turn to run. */
import { Command } from 'commander'
import { LastgoodError, shellWord } from '@lastgood/core'
import type { CliContext } from '../context.ts'
import { withFleetClient, withFleetOptions, type FleetPlaceOptions } from '../fleet/place.ts'
import { exampleOf } from '../help-example.ts'
import { atSamePlace } from '../same-place.ts'
import { safeJson, safeLine } from '../text.ts'

interface SubmitOptions extends FleetPlaceOptions {
  agent: string
  batch?: boolean
  json?: boolean
}

export function submitCommand(context: CliContext): Command {
  return withFleetOptions(new Command('submit'))
    .summary('queue a turn for the workers of a fleet')
    .description('record a turn and queue it for a worker; the same again adds no second turn')
    .argument('<sessionId>', 'the session, new or existing')
    .argument('<words...>', 'what the agent is to do')
    .requiredOption('--agent <name>', 'the agent that runs it')
    .option('--batch', 'after everything that a person is waiting for')
    .option('--json', 'one JSON document on stdout')
    .addHelpText('after', exampleOf('lastgood submit fix-auth --agent coder "Make the tests green"'))
    .action((sessionId: string, words: string[], options: SubmitOptions) => submit(context, sessionId, words, options))
}

async function submit(
  context: CliContext,
  sessionId: string,
  words: readonly string[],
  options: SubmitOptions,
): Promise<void> {
  const message = words.join(' ')
  if (message.trim() === '') throw new LastgoodError('bad-option', 'the message is empty', { hint: 'say what to do' })
  const { agent } = options
  const priority = options.batch ? 'batch' : 'interactive'
  const { turn, isNew, waitsFor } = await withFleetClient(context, options, (client) =>
    client.submit(sessionId, message, { agent, priority }),
  )
  if (options.json) {
    const document = { schema: 'lastgood.submit/v1', sessionId, agent, turn, isNew, priority }
    context.stdout.write(`${safeJson(document)}\n`)
    return
  }
  const what =
    waitsFor === undefined
      ? `${isNew ? 'queued' : 'was already queued'} for ${agent}: lastgood watch`
      : `is open, and waits for you, not for a worker (${waitsFor}): lastgood resume`
  const line = atSamePlace(`${what} ${shellWord(sessionId)}`, context.argv)
  context.stderr.write(`turn ${turn} ${safeLine(line)}\n`)
}
