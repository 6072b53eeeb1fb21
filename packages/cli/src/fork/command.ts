/** `lastgood fork`: another session that goes on from the end of a turn of this one. */
import { Command } from 'commander'
import { forkSession, type Store } from '@lastgood/core'
import { sessionWords, setUp, withCommonOptions, type CommonOptions } from '../common-options.ts'
import type { CliContext } from '../context.ts'
import { assertNoClients } from '../sessions/client-command.ts'
import { withSession } from '../sessions/locate.ts'
import { goOnLines, ownWords, resumeCommandOf } from '../sessions/session-row.ts'
import { jsonDocument, safeLine } from '../text.ts'
import { originJson } from '../sessions/session-json.ts'
import { exampleOf } from '../help-example.ts'
import { turnOption } from '../option-values.ts'

interface ForkOptions extends CommonOptions {
  turn?: number
  reason?: string
}

export function forkCommand(context: CliContext): Command {
  return withCommonOptions(new Command('fork'))
    .summary('start another session from the end of a turn')
    .description('start another session from the end of a turn; the original stays as it is')
    .argument('<session>', sessionWords)
    .argument('[name]', "the new session's id; default: the old one with a number")
    .option('--turn <n>', 'the turn after which it continues; default: the last good one', turnOption)
    .option('--reason <text>', 'why, for people')
    .addHelpText('after', exampleOf('lastgood fork fix-auth another-way --turn 2'))
    .action((argument: string, name: string | undefined, options: ForkOptions) =>
      fork(context, argument, name, options),
    )
}

async function fork(
  context: CliContext,
  argument: string,
  name: string | undefined,
  options: ForkOptions,
): Promise<void> {
  const place = await setUp(context, options, true)
  const { flags } = place
  await withSession(context, place, argument, async (store, row) => {
    assertNoClients(row.head, place)
    const { sessionId: from, cwd } = row.head
    const newId = name ?? (await freeName(store, from))
    const { turn, reason } = options
    const made = await forkSession(store, from, newId, {
      clock: context.clock,
      cwd: cwd ?? context.cwd,
      ...(turn !== undefined && { turn }),
      ...(reason !== undefined && { reason }),
    })
    const fork = { sessionId: newId, agent: row.head.agent }
    if (options.json) {
      const command = resumeCommandOf(fork, flags) ?? null
      const origin = originJson(made.origin)
      const document = { schema: 'lastgood.fork/v1', store: store.location, from, ...made, origin, command }
      context.stdout.write(jsonDocument(document))
      return
    }
    const shared = made.origin.sessionId === from ? '' : `, which it shares with ${made.origin.sessionId}`
    context.stdout.write(`${safeLine(newId)}\n`)
    context.stderr.write(
      `✔ ${safeLine(newId)} continues after turn ${made.turn} of ${safeLine(from)}${shared}\n${goOnLines(fork, flags, ownWords)}`,
    )
  })
}

/** `fix-auth-2` of `fix-auth`, the first number that is free. */
export async function freeName(store: Store, sessionId: string): Promise<string> {
  const stem = sessionId.replace(/-\d{1,6}$/, '').slice(0, 120)
  for (let number = 2; ; number += 1) {
    const name = `${stem}-${number}`
    if (name !== sessionId && !(await store.summary(name))) return name
  }
}
