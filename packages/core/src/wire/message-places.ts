/**
 * Where the messages of a request stand in its bytes, found without parsing them.
 *
 * Only what is JSON of the usual form has places: an object with one list of objects named `messages`. Everything else
 * has none, and is read as a whole; so is what has the name in another spelling.
 */
export interface Places {
  /** The first byte after the list's bracket. */
  readonly start: number
  /** For each message, the first byte after it. */
  readonly ends: readonly number[]
  /** The list's closing bracket. */
  readonly end: number
}

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a]
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d]
const messagesKey = Buffer.from('"messages"')

export function placesIn(bytes: Uint8Array): Places | undefined {
  let places: Places | undefined
  let at = afterSpace(bytes, 0)
  if (bytes[at] !== openBrace) return undefined
  at = afterSpace(bytes, at + 1)
  while (bytes[at] === quote) {
    const keyEnd = afterString(bytes, at)
    const key = bytes.subarray(at, keyEnd)
    if (key.includes(backslash)) return undefined
    at = afterSpace(bytes, keyEnd)
    if (bytes[at] !== colon) return undefined
    at = afterSpace(bytes, at + 1)
    if (messagesKey.equals(key)) {
      if (places || bytes[at] !== openBracket) return undefined
      places = restOfList(bytes, at + 1, [])
      if (!places) return undefined
      at = places.end + 1
    } else at = afterValue(bytes, at)
    at = afterSpace(bytes, at)
    if (bytes[at] !== comma) break
    at = afterSpace(bytes, at + 1)
  }
  return bytes[at] === closeBrace && afterSpace(bytes, at + 1) === bytes.length ? places : undefined
}

/** The places in a list that begins with messages whose ends are known. */
export function placesAfter(bytes: Uint8Array, start: number, ends: readonly number[]): Places | undefined {
  const last = ends.at(-1)
  if (last === undefined) return restOfList(bytes, start, [])
  const next = afterSpace(bytes, last)
  if (bytes[next] === closeBracket) return { start, ends, end: next }
  if (bytes[next] !== comma) return undefined
  const rest = restOfList(bytes, next + 1, [...ends])
  // A list does not end with a comma.
  return rest && rest.ends.length > ends.length ? { ...rest, start } : undefined
}

function restOfList(bytes: Uint8Array, start: number, ends: number[]): Places | undefined {
  let at = afterSpace(bytes, start)
  while (bytes[at] === openBrace) {
    const end = afterValue(bytes, at)
    ends.push(end)
    at = afterSpace(bytes, end)
    if (bytes[at] !== comma) break
    at = afterSpace(bytes, at + 1)
    if (bytes[at] !== openBrace) return undefined
  }
  return bytes[at] === closeBracket ? { start, ends, end: at } : undefined
}

function afterSpace(bytes: Uint8Array, from: number): number {
  let at = from
  for (let byte = bytes[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = bytes[at]) at += 1
  return at
}

/** `from`: its opening quote. */
function afterString(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(quote, from + 1); at >= 0; at = bytes.indexOf(quote, at + 1)) {
    let slashes = 0
    while (bytes[at - 1 - slashes] === backslash) slashes += 1
    if (slashes % 2 === 0) return at + 1
  }
  return bytes.length
}

function afterValue(bytes: Uint8Array, from: number): number {
  let depth = 0
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at]
    if (byte === quote) {
      at = afterString(bytes, at) - 1
      if (depth === 0) return at + 1
    } else if (byte === openBrace || byte === openBracket) depth += 1
    else if (byte === closeBrace || byte === closeBracket) {
      if (depth === 0) return at
      depth -= 1
      if (depth === 0) return at + 1
    } else if (depth === 0 && byte === comma) return at
  }
  return bytes.length
}
