/** Columns for people: padded with spaces, two between them, the last one cut to the terminal's width. */
import type { Palette } from './terminal.ts'
import { padded, shorten, widthOf } from './text.ts'

export interface Cell {
  readonly text: string
  readonly paint?: (text: string) => string
}

export function table(
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
  columns: number,
  { dim }: Pick<Palette, 'dim'>,
): string[] {
  const all = [header.map((text): Cell => ({ text, paint: dim })), ...rows]
  const widths = header.map((_, column) =>
    all.reduce((widest, row) => Math.max(widest, widthOf(row[column]?.text ?? '')), 0),
  )
  return all.map((row) => {
    let room = columns
    const cells = row.map(({ text, paint = (plain) => plain }, column) => {
      const isLast = column === row.length - 1
      // Only the last column may be long; it keeps at least 20 columns.
      const shown = isLast ? shorten(text, Math.max(20, room)) : padded(text, widths[column] ?? 0)
      room -= widthOf(shown) + 2
      return paint(shown)
    })
    return cells.join('  ').trimEnd()
  })
}
