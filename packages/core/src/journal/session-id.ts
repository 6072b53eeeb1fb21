/** What can name a session. Stores turn it into file names and keys, and commands print it. */
import { z } from 'zod'
import { lazily } from '../lazily.ts'

/** Letters, digits, `.`, `_`, `-`; up to 128; starts with a letter or digit. `last` is a word of the command line. */
const sessionIdPattern = /^(?!last$)[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

export const sessionIdSchema = lazily(() => z.string().regex(sessionIdPattern))

/** A pattern alone would take `undefined` by its text. */
export function isSessionId(id: unknown): id is string {
  return typeof id === 'string' && sessionIdPattern.test(id)
}
