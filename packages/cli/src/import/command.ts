/** `lastgood import`: a session from a file that export wrote, ready to go on. */
import { resolve } from 'node:path'
import { Command } from 'commander'
import { importSession } from '@lastgood/core'
import { setUp, withCommonOptions, type CommonOptions } from '../common-options.ts'
import type { CliContext } from '../context.ts'
import { exampleOf } from '../help-example.ts'
import { counted } from '../numbers.ts'
import { goOnLines, ownWords, resumeCommandOf } from '../sessions/session-row.ts'
import { jsonDocument, safeLine } from '../text.ts'
import { assertReadableAgain, linesOf } from './file-lines.ts'

interface ImportOptions extends CommonOptions {
  as?: string
  force?: boolean
}

export function importCommand(context: CliContext): Command {
  return withCommonOptions(new Command('import'))
    .description('load a session from an exported file, ready to resume')
    .argument('<file>', 'a file that lastgood export wrote')
    .option('--as <session>', "the session's id here; default: the one it had")
    .option('--force', 'discard what an unfinished import left, and start over')
    .addHelpText('after', exampleOf('lastgood import fix-auth.lastgood.jsonl --as fix-auth-copy'))
    .action((file: string, options: ImportOptions) => importFrom(context, file, options))
}

async function importFrom(context: CliContext, file: string, options: ImportOptions): Promise<void> {
  const { choices, flags } = await setUp(context, options, false)
  const { store, close } = await choices[0].open()
  try {
    const { as, force = false } = options
    const path = resolve(context.cwd, file)
    await assertReadableAgain(path)
    const { sessionId, from, entries, head } = await importSession(store, () => linesOf(path), {
      clock: context.clock,
      force,
      ...(as !== undefined && { as }),
    })
    const { turn, lastGoodTurn, status } = head
    if (options.json) {
      const command = resumeCommandOf(head, flags) ?? null
      const place = { store: store.location, sessionId, from, file: path }
      const document = { schema: 'lastgood.import/v1', ...place, entries, turn, lastGoodTurn, status, command }
      context.stdout.write(jsonDocument(document))
      return
    }
    const name = from === sessionId ? '' : ` of ${safeLine(from)}`
    context.stdout.write(`${safeLine(sessionId)}\n`)
    context.stderr.write(
      `✔ ${counted(entries, 'entry', 'entries')}${name} ${entries === 1 ? 'is' : 'are'} in ${safeLine(store.location)}, saved at turn ${lastGoodTurn}\n`,
    )
    context.stderr.write(goOnLines(head, flags, turn === lastGoodTurn ? ownWords : undefined))
  } finally {
    await close()
  }
}
