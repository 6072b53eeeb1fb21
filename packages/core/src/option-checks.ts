/**
 * Checks options by name. A bad one throws `bad-option`, naming the field, the value and the range. Pure.
 */
import { LastgoodError } from './errors.ts'

export interface OptionChecks {
  inRange(field: string, value: unknown, min?: number, max?: number): number
  oneOf<T>(field: string, value: unknown, values: readonly T[]): T
  /** Each of these must be a function or absent. Another value may be a secret, so the error names only its type. */
  assertFunctions(options: Readonly<Record<string, unknown>>): void
  /** The field `signal`: an AbortSignal or absent; its controller is what is handed in by mistake. */
  assertSignal(value: unknown): void
  badOption(field: string, value: unknown, range: string): LastgoodError
  /** `options` must have no names but these. `field`: where they are nested; undefined for the top level. */
  assertKnown(field: string | undefined, options: unknown, known: readonly string[]): void
}

const yearMs = 366 * 86_400_000

/** `of`: whose options they are, for messages. */
export function checksOf(of: string): OptionChecks {
  const badOption: OptionChecks['badOption'] = (field, value, range) =>
    new LastgoodError('bad-option', `${of} option ${field} must be ${range}, got ${String(value)}`, {
      hint: `Set ${field} to ${range}, or leave it out for the default.`,
      details: { field, value: String(value), range },
    })
  return {
    badOption,
    inRange(field, value, min = 0, max = yearMs) {
      // NaN fails both comparisons.
      if (typeof value === 'number' && value >= min && value <= max) return value
      throw badOption(field, value, `a number from ${min} to ${max}`)
    },
    oneOf(field, value, values) {
      const found = values.find((one) => one === value)
      if (found === undefined) throw badOption(field, value, `one of ${values.join(', ')}`)
      return found
    },
    assertFunctions(options) {
      for (const [field, value] of Object.entries(options)) {
        if (value !== undefined && typeof value !== 'function') throw badOption(field, typeof value, 'a function')
      }
    },
    assertSignal(value) {
      if (value === undefined || value instanceof AbortSignal) return
      throw badOption('signal', typeof value, 'the signal of an AbortController')
    },
    assertKnown(field, options, known) {
      if (options === undefined) return
      const isObject = typeof options === 'object' && options !== null
      const unknown = isObject ? Object.keys(options).find((name) => !known.includes(name)) : `a ${typeof options}`
      if (unknown === undefined) return
      const [where, kin] = field === undefined ? ['', ''] : [` ${field}`, ` in ${field}`]
      const range = isObject ? `one of ${known.join(', ')}` : `an object with ${known.join(', ')}`
      throw new LastgoodError('bad-option', `${of} option${where} holds ${unknown}; it must be ${range}`, {
        hint: `Known${kin}: ${known.join(', ')}.`,
        details: { field: field ?? unknown, value: unknown, range },
      })
    },
  }
}

/** Errors: `bad-option` for an invalid duration. `hint`: what to write instead. */
export function positiveMs(field: string, value: number, hint = `leave ${field} out for the default`): number {
  if (Number.isFinite(value) && value > 0) return value
  throw new LastgoodError('bad-option', `${field} must be a positive number of milliseconds, got ${String(value)}`, {
    hint,
    details: { field },
  })
}

/** The longest lease: a host that dies keeps its sessions from all others until their leases end. */
const longestLeaseMs = 86_400_000

/** Errors: `bad-option` for a lease that is no duration, or of more than a day. */
export function leaseDuration(value: number): number {
  if (positiveMs('leaseMs', value) <= longestLeaseMs) return value
  throw new LastgoodError('bad-option', `leaseMs must be at most ${longestLeaseMs} (a day), got ${value}`, {
    hint: 'no other host continues a session before its lease ends: leave leaseMs out for the default',
    details: { field: 'leaseMs' },
  })
}
