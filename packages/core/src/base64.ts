/** Bytes as text, in one form only: two texts for the same bytes would be two entries for a store. */

/** The bytes of `text`, or undefined when they would not be written so. */
export function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
