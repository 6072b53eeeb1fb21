/** The sessions that a list leaves out because they cannot be read, in the error that ends it. */
import { isJournalError, isLastgoodError, LastgoodError } from '../errors.ts'
import { isRecord } from '../json.ts'

export interface LeftOut {
  readonly sessionId: string
  readonly error: unknown
}

/** How many the message names; the details have all. */
const named = 10

/**
 * The error of the first session left out, extended to name all of them; there must be at least one. An error that is
 * not about a journal is preferred: a reader that skips damaged sessions must not skip those that the store failed to
 * give.
 */
export function listError(leftOut: readonly LeftOut[]): unknown {
  const first = leftOut.find(({ error }) => !isJournalError(error)) ?? leftOut[0]
  const error = first?.error
  if (!isLastgoodError(error)) return error
  const { code, hint, cause } = error
  const sessions = leftOut.map((one) => ({ sessionId: one.sessionId, code: codeOf(one) }))
  const others = leftOut.filter((one) => one !== first)
  const names = others.slice(0, named).map(({ sessionId }) => sessionId)
  const more = others.length === 0 ? '' : `; also unreadable: ${names.join(', ')}${others.length > named ? ', …' : ''}`
  return new LastgoodError(code, error.message + more, { hint, cause, details: { ...error.details, sessions } })
}

/** Which sessions a list left out, from the error that ended it. */
export function leftOutBy(error: unknown): { sessionId: string; code: string }[] {
  const sessions = isLastgoodError(error) ? error.details['sessions'] : undefined
  if (!Array.isArray(sessions)) return []
  return sessions.flatMap((one: unknown) =>
    isRecord(one) ? { sessionId: String(one['sessionId']), code: String(one['code']) } : [],
  )
}

const codeOf = ({ error }: LeftOut): string => (isLastgoodError(error) ? error.code : 'unexpected')
