/** Bytes as text, in one form only: to a store, two texts for the same bytes would be two different entries. */

/** The bytes of `text`, or undefined if `text` is not their canonical base64. */
export function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
