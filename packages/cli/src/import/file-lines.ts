/**
 * The lines of an exported file. Only `\n` ends a line: Node's readline also breaks at characters that JSON leaves in
 * its strings.
 */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { LastgoodError } from '@lastgood/core'

/** Throws `bad-option` for a pipe or a terminal: it can be read only once. */
export async function assertReadableAgain(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (!found || found.isFile() || found.isDirectory()) return
  throw new LastgoodError(
    'bad-option',
    `${path} is not a regular file: an import reads it twice, first to check all of it`,
    {
      hint: 'keep what comes in a file, and import that: cat > session.jsonl; lastgood import session.jsonl',
    },
  )
}

export async function* linesOf(path: string): AsyncGenerator<string, void, undefined> {
  const parts: string[] = []
  try {
    for await (const chunk of createReadStream(path, { encoding: 'utf8' }) as AsyncIterable<string>) {
      const [first = '', ...others] = chunk.split('\n')
      parts.push(first)
      for (const next of others) {
        yield parts.splice(0).join('')
        parts.push(next)
      }
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === undefined) throw cause
    const what = code === 'ENOENT' ? `there is no file ${path}` : `${path} cannot be read`
    throw new LastgoodError('bad-option', what, {
      hint: 'write one where the session is: lastgood export <session> <file>',
      cause,
    })
  }
  const last = parts.join('')
  if (last !== '') yield last
}
