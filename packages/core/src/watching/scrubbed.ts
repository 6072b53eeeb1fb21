/**
 * A copy of a value for a log: secrets are masked wherever they are, in nested objects and inside strings.
 *
 * A field whose name says that it is secret is masked whole. A function, a symbol or a bigint becomes the name of its
 * type, and what is nested very deep, as in a cycle, becomes `[deep]`.
 */
import { isSecretName } from '../secret-values.ts'
import { withoutSecrets } from '../secrets.ts'

const secretHeaders = /^(?:(?:proxy-)?authorization|(?:set-)?cookie)$/i
const isSecret = (name: string): boolean => secretHeaders.test(name) || isSecretName(name)
const deepest = 8

function scrubbed(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return withoutSecrets(value)
  if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function') return typeof value
  if (typeof value !== 'object' || value === null) return value
  if (depth >= deepest) return '[deep]'
  if (Array.isArray(value)) return value.map((one) => scrubbed(one, depth + 1))
  if (value instanceof Error) return scrubbedError(value, depth)
  return scrubbedFields(value, depth)
}

export function scrubbedFields(value: object, depth = 0): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name,
      isSecret(name) && typeof one !== 'number' && one !== undefined ? '[secret]' : scrubbed(one, depth + 1),
    ]),
  )
}

function scrubbedError(error: Error, depth: number): object {
  const { name, message } = error
  return { name, message: withoutSecrets(message), ...scrubbedFields(error, depth) }
}
