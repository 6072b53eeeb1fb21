/**
 * Where the messages of a request stand in its text, found without parsing them.
 *
 * Only what is JSON of the usual form has places: an object with one list of objects named `messages`. Everything else
 * has none, and is read as a whole; so is what has the name in another spelling.
 */
export interface Places {
  /** Behind the list's bracket. */
  readonly start: number
  /** Behind each message. */
  readonly ends: readonly number[]
  /** The list's closing bracket. */
  readonly end: number
}

export function placesIn(text: string): Places | undefined {
  let places: Places | undefined
  let at = afterSpace(text, 0)
  if (text[at] !== '{') return undefined
  at = afterSpace(text, at + 1)
  while (text[at] === '"') {
    const keyEnd = afterString(text, at)
    const key = text.slice(at, keyEnd)
    if (key.includes('\\')) return undefined
    at = afterSpace(text, keyEnd)
    if (text[at] !== ':') return undefined
    at = afterSpace(text, at + 1)
    if (key === '"messages"') {
      if (places || text[at] !== '[') return undefined
      places = restOfList(text, at + 1, [])
      if (!places) return undefined
      at = places.end + 1
    } else at = afterValue(text, at)
    at = afterSpace(text, at)
    if (text[at] !== ',') break
    at = afterSpace(text, at + 1)
  }
  return text[at] === '}' && afterSpace(text, at + 1) === text.length ? places : undefined
}

/** The places in a list that begins with messages whose ends are known. */
export function placesAfter(text: string, start: number, ends: readonly number[]): Places | undefined {
  const last = ends.at(-1)
  if (last === undefined) return restOfList(text, start, [])
  const next = afterSpace(text, last)
  if (text[next] === ']') return { start, ends, end: next }
  if (text[next] !== ',') return undefined
  const rest = restOfList(text, next + 1, [...ends])
  // A list does not end with a comma.
  return rest && rest.ends.length > ends.length ? { ...rest, start } : undefined
}

function restOfList(text: string, start: number, ends: number[]): Places | undefined {
  let at = afterSpace(text, start)
  while (text[at] === '{') {
    const end = afterValue(text, at)
    ends.push(end)
    at = afterSpace(text, end)
    if (text[at] !== ',') break
    at = afterSpace(text, at + 1)
    if (text[at] !== '{') return undefined
  }
  return text[at] === ']' ? { start, ends, end: at } : undefined
}

const space = /[ \t\r\n]*/y
function afterSpace(text: string, from: number): number {
  space.lastIndex = from
  space.test(text)
  return space.lastIndex
}

/** `from`: its opening quote. */
function afterString(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let slashes = 0
    while (text[at - 1 - slashes] === '\\') slashes += 1
    if (slashes % 2 === 0) return at + 1
  }
  return text.length
}

const structure = /["[\]{},]/g

function afterValue(text: string, from: number): number {
  let depth = 0
  structure.lastIndex = from
  for (let found = structure.exec(text); found; found = structure.exec(text)) {
    const { index } = found
    switch (found[0]) {
      case '"': {
        const end = afterString(text, index)
        if (depth === 0) return end
        structure.lastIndex = end
        break
      }
      case '{':
      case '[':
        depth += 1
        break
      case ',':
        if (depth === 0) return index
        break
      default:
        if (depth === 0) return index
        depth -= 1
        if (depth === 0) return index + 1
    }
  }
  return text.length
}
