/** Columns for people: padded with spaces, two between them, the last one cut to the terminal's width. */
import type { Palette } from './terminal.ts'
import { padded, shorten, widthOf } from './text.ts'

export interface Cell {
  readonly text: string
  readonly paint?: (text: string) => string
}

/** What the last column, the only one that is cut, keeps. */
const leastLast = 20
/** Where a table does not fit, a longer text moves the rest of its own row only; the id of a client's session is 36 long. */
const mostPadded = 36

export function table(
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
  columns: number,
  { dim }: Pick<Palette, 'dim'>,
): string[] {
  const all = [header.map((text): Cell => ({ text, paint: dim })), ...rows]
  const widest = (most: number) =>
    header.map((_, column) =>
      all.reduce((known, row) => {
        const width = widthOf(row[column]?.text ?? '')
        return width > most ? known : Math.max(known, width)
      }, 0),
    )
  const whole = widest(Infinity)
  const isTooWide = whole.slice(0, -1).reduce((sum, width) => sum + width + 2, leastLast) > columns
  const widths = isTooWide ? widest(mostPadded) : whole
  return all.map((row) => {
    let room = columns
    const cells = row.map(({ text, paint = (plain) => plain }, column) => {
      const isLast = column === row.length - 1
      const shown = isLast ? shorten(text, Math.max(leastLast, room)) : padded(text, widths[column] ?? 0)
      room -= widthOf(shown) + 2
      return paint(shown)
    })
    return cells.join('  ').trimEnd()
  })
}
