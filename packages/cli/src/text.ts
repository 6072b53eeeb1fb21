/**
 * Makes text from elsewhere fit for a terminal.
 *
 * 1. Content is text: control characters, escape sequences and marks that reorder a line are shown, never obeyed.
 * 2. Widths are counted in columns and graphemes, so that a cut never leaves half a character.
 */
import { visibleLine, visibleText } from '@lastgood/dashboard'

/** `text` with everything that a terminal would obey replaced by a visible sign; newlines and tabs stay. */
export const safeText = (text: string): string => visibleText(text).toWellFormed()

/** The same in one line. */
export const safeLine = (text: string): string => visibleLine(text).toWellFormed()

/** A command, or a hint that contains one, in one line: spaces inside its words stay, or it would name other files. */
export function safeCommand(text: string): string {
  return safeText(text)
    .replace(/\s*[\n\t]\s*/g, ' ')
    .trim()
}

/** One line of at most `columns`; an ellipsis marks a cut. */
export function shorten(text: string, columns: number): string {
  const line = safeLine(text)
  if (plain.test(line)) return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`
  if (2 * line.length <= columns) return line
  // Of a whole tool result, Node 20 makes segments in quadratic time: in seconds, and no lease is renewed meanwhile.
  const part = line.slice(0, Math.max(0, columns) * longestGrapheme)
  let width = 0
  let end = 0
  for (const { segment, index } of graphemesIn(part)) {
    if (width < columns) end = index
    width += columnsOf(segment)
    if (width > columns) return `${line.slice(0, end)}…`
  }
  // The last one may be half a character.
  return part === line ? line : `${line.slice(0, end)}…`
}

/** In UTF-16 units; only marks on marks are longer. */
const longestGrapheme = 32

let segmenter: Intl.Segmenter | undefined
/** Created on first use: it loads tables of its own, which takes longer than most commands. */
function graphemesIn(text: string): Iterable<Intl.SegmentData> {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' })
  return segmenter.segment(text)
}

/** One column per character. */
const plain = /^[\u0020-\u007e]*$/
/** East Asian wide characters and emoji take two columns. */
const wide =
  /\p{Emoji_Presentation}|\ufe0f|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u

/** The columns that `text`, without escape sequences, takes. */
export function widthOf(text: string): number {
  if (plain.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemesIn(text)) width += columnsOf(segment)
  return width
}

const columnsOf = (grapheme: string): number => (wide.test(grapheme) ? 2 : 1)

/** The parts that are there, as one text: false, null, undefined and empty ones are left out. */
export function joined(parts: readonly (string | false | null | undefined)[], between = ' · '): string {
  return parts.filter((part) => typeof part === 'string' && part !== '').join(between)
}

/** The words of a command, with a space between them; empty ones are left out. */
export const commandLine = (...words: readonly string[]): string => joined(words, ' ')

/** `text` filled with spaces to `columns`. */
export function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)))
}

/** A document for programs, as commands print it. */
export const jsonDocument = (value: unknown): string => `${safeJson(value, 2)}\n`

/** A document on one line, for those who read line by line. */
export const jsonLine = (value: unknown): string => `${safeJson(value)}\n`

/** JSON without anything that a terminal would obey; it parses to the same value. */
export function safeJson(value: unknown, indent?: number): string {
  const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(value, undefined, indent).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    escaped,
  )
}
