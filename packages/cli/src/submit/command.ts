/** `lastgood submit`: gives a fleet's workers a turn to run. */
import { Command } from 'commander'
import { LastgoodError, shellWord, type Head } from '@lastgood/core'
import type { CliContext } from '../context.ts'
import { withFleetClient, withFleetOptions, type FleetPlaceOptions } from '../fleet/place.ts'
import { exampleOf } from '../help-example.ts'
import { turnOption } from '../option-values.ts'
import { atSamePlace } from '../same-place.ts'
import { clientCommand, isClientsAt } from '../sessions/client-command.ts'
import { jsonLine, safeLine } from '../text.ts'

interface SubmitOptions extends FleetPlaceOptions {
  agent?: string
  batch?: boolean
  turn?: number
  json?: boolean
}

export function submitCommand(context: CliContext): Command {
  return withFleetOptions(new Command('submit'))
    .summary('queue a turn for the workers of a fleet')
    .description(
      'record a turn and queue it for a worker; the same again, while it is open, adds no second turn. Without words: let a worker continue the open turn, also if it waits for a person',
    )
    .argument('<sessionId>', 'the session, new or existing')
    .argument('[words...]', 'what the agent is to do')
    .option('--agent <name>', 'with words: the agent that runs it')
    .option('--batch', 'after everything that a person is waiting for')
    .option('--turn <n>', 'which turn it is: one that was begun is not begun again, even if it has ended', turnOption)
    .option('--json', 'one JSON document on stdout')
    .addHelpText(
      'after',
      exampleOf('lastgood submit fix-auth --agent coder "Make the tests green"', 'lastgood submit fix-auth'),
    )
    .action((sessionId: string, words: string[], options: SubmitOptions) => submit(context, sessionId, words, options))
}

async function submit(
  context: CliContext,
  sessionId: string,
  words: readonly string[],
  options: SubmitOptions,
): Promise<void> {
  const message = messageOf(sessionId, words, options)
  const priority = options.batch ? 'batch' : 'interactive'
  const { turn: wanted } = options
  const submitted = await withFleetClient(context, options, async (client, { opened, place }) => {
    if (message) {
      const { words: input, agent } = message
      return client.submit(sessionId, input, { agent, priority, ...(wanted !== undefined && { turn: wanted }) })
    }
    const summary = await opened.store.summary(sessionId)
    if (summary && isClientsAt(summary.head, place)) throw notForWorkers(summary.head, place.flags)
    return client.continueTurn(sessionId, { priority })
  })
  const { agent, turn, isNew, waitsFor } = submitted
  if (options.json) {
    const document = {
      schema: 'lastgood.submit/v1',
      sessionId,
      agent,
      turn,
      isNew,
      priority,
      waitsFor: waitsFor ?? null,
    }
    context.stdout.write(jsonLine(document))
    return
  }
  const queued = isNew ? 'queued for' : message ? 'was already queued for' : 'is left to the workers of'
  const id = shellWord(sessionId)
  const what =
    waitsFor === undefined
      ? `${queued} ${agent}: lastgood watch ${id}`
      : `is open, and waits for you, not for a worker (${waitsFor}): lastgood resume ${id}; to let a worker continue it: lastgood submit ${id}`
  const line = atSamePlace(what, context.argv)
  context.stderr.write(`turn ${turn} ${safeLine(line)}\n`)
}

function notForWorkers(head: Head, flags: readonly string[]): LastgoodError {
  return new LastgoodError('bad-option', `session ${head.sessionId}: ${head.agent} continues it itself`, {
    hint: clientCommand(head, flags) ?? '',
    details: { sessionId: head.sessionId },
  })
}

/** Undefined: no new turn, but the open one. */
function messageOf(
  sessionId: string,
  words: readonly string[],
  { agent, turn }: SubmitOptions,
): { words: string; agent: string } | undefined {
  if (words.length === 0 && agent === undefined && turn === undefined) return undefined
  const message = words.join(' ')
  if (message.trim() !== '' && agent !== undefined) return { words: message, agent }
  const id = shellWord(sessionId)
  throw new LastgoodError('bad-option', agent === undefined ? 'no agent is named' : 'the message is empty', {
    hint: `a new turn: lastgood submit ${id} --agent coder "Make it green"; to continue the open one: lastgood submit ${id}`,
    details: { field: agent === undefined ? '--agent' : 'words' },
  })
}
