/**
 * What a question of our own has of the caller's request: its login, and what that login asks for. Without it the answer
 * would say nothing about the model.
 */
import { recordsIn } from '../json.ts'
import { isLoginBeta } from '../repair/login-beta.ts'
import { betasOf } from './messages-request.ts'

/** The headers with no betas but that of a login. */
export function ownHeaders(sent: Headers): Headers {
  const headers = new Headers(sent)
  const betas = betasOf(sent).filter(isLoginBeta)
  headers.delete('anthropic-beta')
  if (betas.length > 0) headers.set('anthropic-beta', betas.join(','))
  return headers
}

/** A line in which a client says who it is is short; what comes after it would cost. */
const longestLine = 200

/**
 * The lines with which a client begins its system prompt, where it has a login: the API refuses the login for requests
 * that do not begin so. https://github.com/anthropics/claude-code/issues/8046
 */
export function ownSystem(sent: Headers, system: unknown): { system?: readonly unknown[] } {
  if (!betasOf(sent).some(isLoginBeta)) return {}
  const blocks = recordsIn(system)
  const end = blocks.findIndex(({ text }) => typeof text !== 'string' || text.length > longestLine)
  const lines = blocks.slice(0, end < 0 ? undefined : end).map(({ type, text }) => ({ type, text }))
  return lines.length > 0 ? { system: lines } : {}
}
