/** Confirmation before something irreversible: a person is asked, a program has to pass `--yes`. */
import { LastgoodError } from '@lastgood/core'
import type { CliContext } from './context.ts'

export interface Confirmation {
  yes?: boolean | undefined
  json?: boolean | undefined
}

/** Whether to go on. Throws `needs-input` where nobody can be asked and `--yes` was not given. */
export async function confirmed(
  { stdin, stderr }: CliContext,
  question: string,
  { yes, json }: Confirmation,
): Promise<boolean> {
  if (yes) return true
  if (!stdin.isTTY || !stderr.isTTY || !stdin.line || json) {
    throw new LastgoodError('needs-input', `${question} There is no terminal to ask at`, {
      hint: 'add --yes to do it, or --dry-run to see what would be done',
    })
  }
  stderr.write(`${question} [y/N] `)
  const answer = await stdin.line()
  if (/^\s*y(es)?\s*$/i.test(answer ?? '')) return true
  stderr.write('nothing was changed\n')
  return false
}
