/**
 * Text that somebody else wrote, made safe for a page and a terminal: controls and marks that reorder a line, or hide in
 * it, are shown, never obeyed. Pure.
 */

/**
 * Controls except newline and tab, and the marks that can disguise a line. U+200C and U+200D are not among them: Persian
 * and Indic letters, and pictures, are joined by them.
 */
const unsafe =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/g

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
