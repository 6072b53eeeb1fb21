/**
 * Text that somebody else wrote, made safe for a page: controls and marks that reorder a line are shown, never obeyed.
 * The command line shows the same signs (its text.ts).
 */

/** Controls except newline and tab, and the marks of bidirectional text that can disguise a line. */
// oxlint-disable-next-line no-control-regex
const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/g

export function visibleText(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(unsafe, visible)
}

/** The same, on one line. */
export function visibleLine(text: string): string {
  return visibleText(text).replace(/\s+/g, ' ').trim()
}

/** C0 controls have their own symbols: ESC is ␛. */
function visible(char: string): string {
  const code = char.charCodeAt(0)
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : '\ufffd'
}
