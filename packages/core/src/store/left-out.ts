/** The sessions that a list leaves out because they cannot be read, in the error that ends it. */
import { isJournalError, isLastgoodError, LastgoodError } from '../errors.ts'
import { isRecord } from '../json.ts'

export interface LeftOut {
  readonly sessionId: string
  readonly error: unknown
}

/** So many are named in the message; the details have all. */
const named = 10

/**
 * The error of the first one, which names all of them; of at least one. What is not about one journal comes before what is:
 * a reader that leaves damaged sessions aside must not take those for damaged that the store did not give.
 */
export function listError(leftOut: readonly LeftOut[]): unknown {
  const first = leftOut.find(({ error }) => !isJournalError(error)) ?? leftOut[0]
  const error = first?.error
  if (!isLastgoodError(error)) return error
  const { code, hint, cause } = error
  const sessions = leftOut.map((one) => ({ sessionId: one.sessionId, code: codeOf(one) }))
  const others = leftOut.filter((one) => one !== first)
  const names = others.slice(0, named).map(({ sessionId }) => sessionId)
  const more = others.length === 0 ? '' : `; nor can be read: ${names.join(', ')}${others.length > named ? ', …' : ''}`
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
