/**
 * An entry as the page may show it: without content, or with content in which secrets are masked and very long texts
 * are cut. Pure.
 *
 * 1. A result of many megabytes costs no more than a long one.
 * 2. A secret at the cut is masked as well: secrets are looked for a little beyond the cut.
 */
import { redacted, withoutSecrets, withoutSecretsInside, type Entry } from '@lastgood/core'

/** Of one text, in UTF-16 units: more than anybody reads on a page. */
const longestText = 50_000
/** Of a text that is quoted in a line. */
export const longestQuoted = 2_000
/** Longer than most secrets; a beginning of the longer ones, private keys and web tokens, is enough to mask them. */
const longestSecret = 2_000

export function shownEntry(entry: Entry, hasContent: boolean, longest = longestText): Entry {
  return hasContent ? (withContent(entry, longest) as Entry) : redacted(entry)
}

/** Takes any part of an entry. */
export function withContent(value: unknown, longest = longestQuoted): unknown {
  return withoutSecretsInside(value, (text) => shownText(text, longest))
}

function shownText(text: string, longest: number): string {
  if (text.length <= longest) return withoutSecrets(text)
  const masked = withoutSecrets(head(text, longest + longestSecret))
  // Masking shortens the text, and its end may be half of a secret.
  const shown = head(masked, Math.min(longest, Math.max(0, masked.length - longestSecret)))
  return `${shown} […${text.length - longest} more characters]`
}

/** Never half of a character. */
const head = (text: string, length: number): string => text.slice(0, length).toWellFormed()
