/**
 * What a body is written in, and what reading it needs of that: the string that a program has, or the bytes (UTF-8) that
 * came over a socket. Either costs a copy of a whole conversation to turn into the other.
 *
 * Positions are those of the body: code units of a string, bytes of bytes. JSON's own signs are one of either.
 */
export type BodyText = string | Uint8Array

/** Undefined, or no number, after the end. */
export const signAt = (text: BodyText, at: number): number | undefined =>
  typeof text === 'string' ? text.charCodeAt(at) : text[at]

/** Negative for none. */
export const placeOf = (text: BodyText, sign: number, from: number): number =>
  typeof text === 'string' ? text.indexOf(String.fromCharCode(sign), from) : text.indexOf(sign, from)

export const part = (text: BodyText, from: number, to?: number): BodyText =>
  typeof text === 'string' ? text.slice(from, to) : text.subarray(from, to)

/** As the API will read it: what is no Unicode is told from nothing else that is none. */
export const asString = (text: BodyText): string =>
  typeof text === 'string' ? text.toWellFormed() : new TextDecoder().decode(text)

export function isSameText(one: BodyText, other: BodyText): boolean {
  if (typeof one === 'string' || typeof other === 'string') return one === other
  return Buffer.compare(one, other) === 0
}

/** How much two texts begin with alike. Compared at the speed of memory. */
export function commonLength(one: BodyText, other: BodyText): number {
  const most = Math.min(one.length, other.length)
  let at = 0
  for (let step = 32 * 1024; step >= 1; step /= 2) {
    while (at + step <= most && isSameText(part(one, at, at + step), part(other, at, at + step))) at += step
  }
  return at
}
