/**
 * The text of a body, and what reading it takes: the string that a program has, or the bytes (UTF-8) that came over a
 * socket. Turning either into the other costs a copy of a whole conversation.
 *
 * Positions count code units in a string and bytes in bytes. JSON's own signs take one unit in either.
 */
export type BodyText = string | Uint8Array

/** Undefined or NaN after the end. */
export const signAt = (text: BodyText, at: number): number | undefined =>
  typeof text === 'string' ? text.charCodeAt(at) : text[at]

/** Negative for none. */
export const placeOf = (text: BodyText, sign: number, from: number): number =>
  typeof text === 'string' ? text.indexOf(String.fromCharCode(sign), from) : text.indexOf(sign, from)

export const part = (text: BodyText, from: number, to?: number): BodyText =>
  typeof text === 'string' ? text.slice(from, to) : text.subarray(from, to)

/** As the API will read it: everything that is not Unicode becomes the same replacement character. */
export const asString = (text: BodyText): string =>
  typeof text === 'string' ? text.toWellFormed() : new TextDecoder().decode(text)

/** The text of a request's body; undefined if it has none. */
export const textOfBody = (body: unknown): string | undefined =>
  typeof body === 'string' || body instanceof Uint8Array ? asString(body) : undefined

export function isSameText(one: BodyText, other: BodyText): boolean {
  if (typeof one === 'string' || typeof other === 'string') return one === other
  return Buffer.compare(one, other) === 0
}

/** The length of what two texts begin with alike, compared at the speed of memory. */
export function commonLength(one: BodyText, other: BodyText): number {
  const most = Math.min(one.length, other.length)
  let at = 0
  for (let step = 32 * 1024; step >= 1; step /= 2) {
    while (at + step <= most && isSameText(part(one, at, at + step), part(other, at, at + step))) at += step
  }
  return at
}
