/**
 * Text cut in the middle.
 *
 * 1. The beginning and the end stay, in whole characters, and a note between them says how much is missing.
 */

/** The note is never longer. */
const noteChars = 80

/** At most `maxChars` characters with the note (or `noteChars`, if more); a text that fits is returned unchanged. */
export function cutInMiddle(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text
  const kept = Math.max(0, maxChars - noteChars)
  const head = text.slice(0, Math.ceil(kept / 2))
  const tail = text.slice(text.length - Math.floor(kept / 2))
  const start = isHigh(head.at(-1)) ? head.slice(0, -1) : head
  const end = isLow(tail[0]) ? tail.slice(1) : tail
  const missing = text.length - start.length - end.length
  return `${start}\n[… ${missing} of ${text.length} characters left out …]\n${end}`
}

const isHigh = (char: string | undefined) => char !== undefined && /[\uD800-\uDBFF]/.test(char)
const isLow = (char: string | undefined) => char !== undefined && /[\uDC00-\uDFFF]/.test(char)
