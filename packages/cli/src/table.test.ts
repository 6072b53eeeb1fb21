import { expect, test } from 'vitest'
import { table } from './table.ts'

const tableOf = (columns: number, ...rows: string[][]) =>
  table(
    ['SESSION', 'TURN', 'ABOUT'],
    rows.map((row) => row.map((text) => ({ text }))),
    columns,
    { dim: (text) => String(text) },
  )

const long = 'x'.repeat(60)
const about = 'The API refused the key'

test('one long text moves only its own row, where the terminal has no room for all', () => {
  expect(tableOf(80, ['fix-auth', '1', about], [long, '2', about])).toEqual([
    'SESSION   TURN  ABOUT',
    `fix-auth  1     ${about}`,
    `${long}  2     The API refused the…`,
  ])
})

test('with room for all, every column is padded to its longest text', () => {
  const [header, first] = tableOf(120, ['fix-auth', '1', about], [long, '2', about])
  expect(header).toBe(`SESSION${' '.repeat(55)}TURN  ABOUT`)
  expect(first).toBe(`fix-auth${' '.repeat(54)}1     ${about}`)
})
