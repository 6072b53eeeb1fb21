/**
 * An entry as somebody at the page may see it: without content, or with content in which secrets are masked and what is
 * very long is cut. Pure.
 *
 * 1. Cut before it is masked and measured: a result of many megabytes costs no more than a long one.
 */
import { maskedEntry, redacted, type Entry } from '@lastgood/core'

/** Of one text, in UTF-16 units: more than anybody reads on a page. */
const longestText = 50_000
/** Of one that is quoted in a line. */
export const longestQuoted = 2_000

export function shownEntry(entry: Entry, hasContent: boolean, longest = longestText): Entry {
  return hasContent ? maskedEntry(cut(entry, longest) as Entry) : redacted(entry)
}

function cut(value: unknown, longest: number): unknown {
  if (typeof value === 'string')
    return value.length <= longest ? value : `${head(value, longest)} […${value.length - longest} more characters]`
  if (Array.isArray(value)) return value.map((one) => cut(one, longest))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, cut(one, longest)]))
}

/** Never half of a character. */
const head = (text: string, length: number): string => text.slice(0, length).toWellFormed()
