/**
 * What the API demands of a request, as a table: each rule with its exact text and the check beside it.
 * 1. Rules are tried in order, shape before meaning, and the first broken one gives the answer.
 * 2. A check returns the values for the `{places}` in the text, or undefined if the rule holds. It never throws,
 *    whatever the request contains.
 * 3. Texts marked `own` are this lab's words: the real ones are not known.
 */
import { invalid, type ApiError } from '../api-error.ts'
import type { Rule } from './rule.ts'
import { IMAGE_RULES, THINKING_RULES } from './content-rules.ts'
import { END_RULES, MESSAGE_RULES, PAIR_RULES } from './message-rules.ts'
import { BORDER_RULES, SERVER_RULES } from './server-rules.ts'
import { SETTING_RULES, SHAPE_RULES } from './shape-rules.ts'
import type { Transcript } from '../transcript.ts'

export const RULES: readonly Rule[] = [
  ...SHAPE_RULES,
  ...SETTING_RULES,
  ...BORDER_RULES,
  ...MESSAGE_RULES,
  ...PAIR_RULES,
  ...SERVER_RULES,
  ...THINKING_RULES,
  ...IMAGE_RULES,
  ...END_RULES,
]

/** The first rule that the transcript breaks, as the error that the API answers with. */
export function firstViolation(transcript: Transcript): ApiError | undefined {
  for (const { name, row, text, errorCode, detailFields = [], check } of RULES) {
    const found = check(transcript)
    if (!found) continue
    const message = text.replaceAll(/\{(\w+)\}/g, (_, key: string) => String(found[key] ?? ''))
    const details = Object.fromEntries(detailFields.map((field) => [field, found[field]]))
    return invalid(message, {
      rule: name,
      ...(row !== undefined && { row }),
      ...(errorCode !== undefined && { details: { error_code: errorCode, ...details } }),
    })
  }
  return undefined
}
