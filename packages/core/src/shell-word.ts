/** Words of commands that are shown to be copied. */

/** What would end the line, or be obeyed by a terminal in place of being shown: controls, marks that reorder text. */
// oxlint-disable-next-line no-control-regex
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** `word` as a shell takes it, in one line: plain words stay as they are, `it's` becomes `'it'\''s'`. */
export function shellWord(word: string): string {
  if (/^[\w@%+=:,./~-]+$/.test(word)) return word
  if (word.search(unsafe) < 0) return `'${word.replaceAll("'", `'\\''`)}'`
  return `$'${word.replace(/[\\']/g, '\\$&').replace(unsafe, escaped)}'`
}

function escaped(char: string): string {
  if (char === '\n') return '\\n'
  if (char === '\t') return '\\t'
  return Array.from(Buffer.from(char), (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
}
