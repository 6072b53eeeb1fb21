/** `lastgood export`: a session as one file, to keep it, to move it, or to show how it went. */
import { resolve } from 'node:path'
import { Command } from 'commander'
import { exportSession, LastgoodError, shellWord } from '@lastgood/core'
import { sessionWords, setUp, withCommonOptions, type CommonOptions } from '../common-options.ts'
import type { CliContext } from '../context.ts'
import { exampleOf } from '../help-example.ts'
import { counted } from '../numbers.ts'
import { withSession } from '../sessions/locate.ts'
import { commandLine, jsonDocument, safeCommand, safeLine } from '../text.ts'
import { writeNewFile } from '../new-file.ts'

interface ExportOptions extends CommonOptions {
  redact?: boolean
  force?: boolean
}

export function exportCommand(context: CliContext): Command {
  return withCommonOptions(new Command('export'))
    .description('write a session to one file, which import reads anywhere')
    .argument('<session>', sessionWords)
    .argument('[file]', 'where to write; - is stdout. Default: <session>.lastgood.jsonl here')
    .option('--redact', 'leave out content and secrets: for others to read, not for import')
    .option('--force', 'replace the file if it exists')
    .addHelpText(
      'after',
      exampleOf('lastgood export fix-auth', 'lastgood export fix-auth --redact - | gzip > report.gz'),
    )
    .action((argument: string, file: string | undefined, options: ExportOptions) =>
      exportTo(context, argument, file, options),
    )
}

async function exportTo(
  context: CliContext,
  argument: string,
  file: string | undefined,
  options: ExportOptions,
): Promise<void> {
  const place = await setUp(context, options, false)
  const { flags } = place
  await withSession(context, place, argument, async (store, row) => {
    const { sessionId } = row.head
    const { redact = false, force = false } = options
    const lines = exportSession(store, sessionId, { redact, clock: context.clock })
    if (file === '-') return await toStdout(context, lines, options)
    const path = resolve(context.cwd, file ?? `${sessionId}.lastgood.jsonl`)
    const id = context.clock.newId()
    const { lines: count, bytes } = await writeNewFile(path, lines, { force, id })
    // The header and the end are lines too.
    const entries = count - 2
    const command = commandLine('lastgood import', shellWord(path), ...flags)
    if (options.json) {
      const place = { store: store.location, sessionId, file: path }
      const document = {
        schema: 'lastgood.export/v1',
        ...place,
        entries,
        bytes,
        redacted: redact,
        command: redact ? null : command,
      }
      context.stdout.write(jsonDocument(document))
      return
    }
    const what = redact ? 'without content: it cannot be imported' : 'with all content: treat it like the source code'
    context.stderr.write(
      `✔ ${counted(entries, 'entry', 'entries')} of ${safeLine(sessionId)}, ${bytes} bytes, ${what}\n`,
    )
    context.stdout.write(`${safeCommand(path)}\n`)
    if (!redact) context.stderr.write(`bring it back with\n${command}\n`)
  })
}

async function toStdout({ stdout }: CliContext, lines: AsyncIterable<string>, { json }: ExportOptions): Promise<void> {
  if (json || stdout.isTTY) {
    const why = json ? 'stdout cannot take both the file and the JSON document' : 'the file is not for a terminal'
    throw new LastgoodError('bad-option', why, {
      hint: 'name a file, or pipe it somewhere: lastgood export <session> - > file',
    })
  }
  for await (const line of lines) stdout.write(line)
}
