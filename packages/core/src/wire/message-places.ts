/**
 * Where the messages of a request stand in its text, found without parsing them.
 *
 * Only JSON of the usual form has places: an object with one list of objects named `messages`. Everything else has none
 * and is parsed as a whole; so is a body that spells the name with escapes. Whether the text is JSON at all is not
 * found out here: who uses the places parses what is between them.
 */
import { asString, part, placeOf, signAt, type BodyText } from './body-text.ts'

export interface Places {
  /** The first place after the list's opening bracket. */
  readonly start: number
  /** For each message, the first place after it. */
  readonly ends: readonly number[]
  /** The list's closing bracket. */
  readonly end: number
}

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c]
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d]
const messagesKey = '"messages"'

/** `onField` is called with the name of each other field, and with the first place of its value and after it. */
export function placesIn(
  text: BodyText,
  onField?: (name: string, from: number, to: number) => void,
): Places | undefined {
  let places: Places | undefined
  let at = afterSpace(text, afterSpace(text, 0) + 1)
  while (signAt(text, at) === quote) {
    const keyEnd = afterString(text, at)
    const key = asString(part(text, at, keyEnd))
    if (key.includes('\\')) return undefined
    at = afterSpace(text, afterSpace(text, keyEnd) + 1)
    if (key === messagesKey) {
      if (places || signAt(text, at) !== openBracket) return undefined
      places = restOfList(text, at + 1, [])
      if (!places) return undefined
      at = places.end + 1
    } else {
      const from = at
      at = afterValue(text, from)
      onField?.(key.slice(1, -1), from, at)
    }
    at = afterSpace(text, at)
    if (signAt(text, at) !== comma) break
    at = afterSpace(text, at + 1)
  }
  return places
}

/** The places in a list that begins with messages whose ends are known. */
export function placesAfter(text: BodyText, start: number, ends: readonly number[]): Places | undefined {
  const next = afterSpace(text, ends.at(-1) ?? start)
  if (signAt(text, next) === closeBracket) return { start, ends, end: next }
  if (signAt(text, next) !== comma) return undefined
  const rest = restOfList(text, next + 1, [...ends])
  // A list does not end with a comma.
  return rest && rest.ends.length > ends.length ? { ...rest, start } : undefined
}

function restOfList(text: BodyText, start: number, ends: number[]): Places | undefined {
  let at = afterSpace(text, start)
  while (signAt(text, at) === openBrace) {
    const end = afterValue(text, at)
    ends.push(end)
    at = afterSpace(text, end)
    if (signAt(text, at) !== comma) break
    at = afterSpace(text, at + 1)
  }
  return signAt(text, at) === closeBracket ? { start, ends, end: at } : undefined
}

function afterSpace(text: BodyText, from: number): number {
  let at = from
  while (isSpace(signAt(text, at))) at += 1
  return at
}

const isSpace = (sign: number | undefined): boolean => sign === 0x20 || sign === 0x0a || sign === 0x0d || sign === 0x09

/** `from`: its opening quote. */
function afterString(text: BodyText, from: number): number {
  for (let at = placeOf(text, quote, from + 1); at >= 0; at = placeOf(text, quote, at + 1)) {
    let slashes = 0
    while (signAt(text, at - 1 - slashes) === backslash) slashes += 1
    if (slashes % 2 === 0) return at + 1
  }
  return text.length
}

function afterValue(text: BodyText, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at += 1) {
    const sign = signAt(text, at)
    if (sign === quote) at = afterString(text, at) - 1
    else if (sign === openBrace || sign === openBracket) depth += 1
    else if (sign === closeBrace || sign === closeBracket) {
      if (depth === 0) return at
      depth -= 1
      if (depth === 0) return at + 1
    } else if (depth === 0 && sign === comma) return at
  }
  return text.length
}
