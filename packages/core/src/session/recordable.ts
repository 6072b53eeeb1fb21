/**
 * Only what JSON can express can be recorded. Anything else is the caller's mistake, reported before it reaches a
 * store: `what` names its place in the message.
 */
import { LastgoodError } from '../errors.ts'
import { soundEntry, type Entry, type EntryBody } from '../journal/journal.ts'
import { assertNotDeep, copyOf, parsedJson } from '../json.ts'

/** A copy that later changes to `value` do not reach. Errors: `bad-option`. */
export function recordable<Value>(value: Value, what: string): Value {
  try {
    return copyOf(value)
  } catch (error) {
    throw error instanceof RangeError ? tooDeep(what, error) : notJson(what, error)
  }
}

/**
 * The entry of `body`: a copy, so that the caller's later changes to its messages do not change what was recorded.
 * Errors: `bad-option`, also for what no reader would accept as an entry.
 */
export function recordableEntry(body: EntryBody, stamp: Omit<Entry, keyof EntryBody>): Entry {
  return soundEntry(Object.assign(recordable(body, body.type), stamp))
}

/** The value of a JSON text; undefined for anything that is not JSON. Errors: `bad-option` for what is nested too deeply. */
export function parsedRecordable(text: string, what: string): unknown {
  const value = parsedJson(text)
  try {
    assertNotDeep(value)
  } catch (error) {
    throw tooDeep(what, error as RangeError)
  }
  return value
}

/** The JSON of `value`. Errors: `bad-option`, also for undefined and functions. */
export function jsonText(value: unknown, what: string): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (error) {
    throw notJson(what, error)
  }
  if (text === undefined) throw notJson(what)
  return text
}

function tooDeep(what: string, cause: RangeError): LastgoodError {
  return new LastgoodError('bad-option', `${what} has ${cause.message}`, {
    hint: 'pass deeply nested data as a string, for example as JSON',
    cause,
  })
}

function notJson(what: string, cause?: unknown): LastgoodError {
  return new LastgoodError('bad-option', `${what} contains a value that JSON cannot represent`, {
    hint: 'use strings, finite numbers, booleans, null, and arrays and objects of them',
    cause,
  })
}
