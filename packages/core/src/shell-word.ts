/**
 * Words of commands that are shown for copying. POSIX shells, bash, zsh and fish read them alike.
 */

/** Characters that end the line or that a terminal obeys instead of showing: controls, marks that reorder text. */
// oxlint-disable-next-line no-control-regex
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g
/** Backslashes that fish interprets even between single quotes. */
const fishEscape = /\\(?:[\\']|$)/

/**
 * `word` quoted for a shell, in one line: plain words stay as they are, `it's` becomes `'it'\''s'`, and characters that
 * cannot be shown become a `printf` that the shell runs. Only line breaks at the very end are shown as they are,
 * because a command substitution drops them.
 */
export function shellWord(word: string): string {
  // zsh and fish expand words that begin with = or %; all of them expand ~, and bash does so after = and : as well.
  if (/^[\w@+:,./-][\w@%+=:,./-]*$/.test(word)) return word
  if (word.search(unsafe) < 0 && !fishEscape.test(word)) return quoted(word)
  const text = word.replace(/\n+$/, '')
  const format = text
    .replaceAll('%', '%%')
    .replace(/^-|[\\']/g, octal)
    .replace(unsafe, octal)
  return `"$(printf '${format}')"${text === word ? '' : quoted(word.slice(text.length))}`
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

function octal(char: string): string {
  return Array.from(Buffer.from(char), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
}
