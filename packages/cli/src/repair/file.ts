/** `lastgood repair <file>`. */
import { editsBetween, LastgoodError, shellWord, type Message } from '@lastgood/core'
import { confirmed } from '../confirm.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import { counted } from '../numbers.ts'
import { terminalOf } from '../terminal.ts'
import { jsonDocument, safeCommand, safeLine } from '../text.ts'
import { changeLines, changesOf } from './changes.ts'
import type { RepairOptions } from './options.ts'
import { formNames, readTranscriptFile, replaceTranscript } from './transcript-file.ts'

export async function repairFile(context: CliContext, name: string, options: RepairOptions): Promise<void> {
  if (options.revert) {
    throw new LastgoodError('bad-option', `${name} is a file: its copy from before a repair is beside it`, {
      hint: `look for it: ls ${shellWord(name)}.backup-*`,
    })
  }
  const { stdout, stderr, env } = context
  const file = await readTranscriptFile(context, name)
  const { path, form, mended } = file
  const { before, after, repairs, bytes, unrepairable } = mended
  const turns = turnsOf(before)
  const changes = changesOf(before, editsBetween(before, after), repairs, (message) => turns[message] ?? 0)
  if (!options.json) {
    stderr.write(`file     ${safeLine(path)}: ${formNames[form]}, ${counted(before.length, 'message')}\n`)
    const { columns, palette } = terminalOf(stdout, env, options.color)
    for (const line of changeLines(changes, columns(), palette)) stdout.write(`${line}\n`)
  }
  const isWanted = bytes !== undefined && options.apply === true
  const question = `Rewrite ${safeLine(path)}, keeping a copy beside it?`
  if (isWanted && !(await confirmed(context, question, options))) return
  const backup = isWanted ? await replaceTranscript(context, file, bytes) : undefined
  if (unrepairable !== undefined) context.setExitCode(exitCodes.failed)
  if (options.json) {
    const document = {
      schema: 'lastgood.repair/v1',
      file: path,
      form,
      messages: before.length,
      ...changes,
      unrepairable: unrepairable ?? null,
      applied: backup !== undefined,
      backup: backup ?? null,
    }
    stdout.write(jsonDocument(document))
  } else if (unrepairable !== undefined) {
    stderr.write(`error: this cannot be repaired: ${unrepairable}; the file was left as it is\n`)
  } else if (bytes === undefined) {
    stderr.write('✔ nothing to repair\n')
  } else if (backup === undefined) {
    stderr.write(`nothing was changed; to apply it\n${safeCommand(`lastgood repair ${shellWord(name)} --apply`)}\n`)
  } else {
    stderr.write(`✔ repaired; to restore the original\n${safeCommand(`mv ${shellWord(backup)} ${shellWord(path)}`)}\n`)
  }
}

/** The turn number of each message: a turn begins where a person says something. */
function turnsOf(messages: readonly Message[]): number[] {
  let turn = 0
  return messages.map(({ role, content }) => {
    const says = typeof content === 'string' || content.some(({ type }) => type !== 'tool_result')
    if (role === 'user' && says) turn += 1
    return turn
  })
}
