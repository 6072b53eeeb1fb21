/**
 * An entry as somebody at the page may see it: without content, or with content in which secrets are masked and what is
 * very long is cut. Pure.
 *
 * 1. A result of many megabytes costs no more than a long one.
 * 2. A secret that is cut is masked as well: where a text is cut, what was left of it is looked at a little further.
 */
import { redacted, withoutSecrets, withoutSecretsInside, type Entry } from '@lastgood/core'

/** Of one text, in UTF-16 units: more than anybody reads on a page. */
const longestText = 50_000
/** Of one that is quoted in a line. */
export const longestQuoted = 2_000
/** More than what is masked takes; of the longer ones, private keys and web tokens, a beginning is enough. */
const longestSecret = 2_000

export function shownEntry(entry: Entry, hasContent: boolean, longest = longestText): Entry {
  return hasContent ? (withContent(entry, longest) as Entry) : redacted(entry)
}

/** Anything of an entry. */
export function withContent(value: unknown, longest = longestQuoted): unknown {
  return withoutSecretsInside(value, (text) => shownText(text, longest))
}

function shownText(text: string, longest: number): string {
  if (text.length <= longest) return withoutSecrets(text)
  const masked = withoutSecrets(head(text, longest + longestSecret))
  // What was masked is shorter, and the end of it may be half of a secret.
  const shown = head(masked, Math.min(longest, Math.max(0, masked.length - longestSecret)))
  return `${shown} […${text.length - longest} more characters]`
}

/** Never half of a character. */
const head = (text: string, length: number): string => text.slice(0, length).toWellFormed()
