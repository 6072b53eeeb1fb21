/** The table of repairs: every demand of the API that can be checked here has a rule and a case. The cases are played beside the rules. */
import { expect, test } from 'vitest'
import { refusalRules } from '../packages/core/src/repair/refused/refusal-rules.ts'
import { localRules } from '../packages/core/src/repair/transcript/repair-transcript.ts'
import { repairCases, repairsPage } from './repair-table/document.ts'
import { heldElsewhere, repairRows } from './repair-table/rows.ts'

const numbers = Array.from({ length: 47 }, (_, at) => at + 1)

test('every row has a case, or says what holds it instead', () => {
  const proven = new Set(repairCases.map(({ row }) => row))
  expect(numbers.filter((row) => row in repairRows === row in heldElsewhere)).toEqual([])
  expect(numbers.filter((row) => row in repairRows && !proven.has(row))).toEqual([])
  expect([...proven].filter((row) => row !== undefined && !(row in repairRows))).toEqual([])
})

test('every rule has a case, and every case a rule', () => {
  const rules = new Set([...localRules, ...refusalRules].map(({ name }) => name))
  const proven = new Set(repairCases.map(({ rule }) => rule))
  expect([...rules].filter((rule) => !proven.has(rule))).toEqual([])
  expect([...proven].filter((rule) => !rules.has(rule))).toEqual([])
})

test('every rule has a row that is in the table', () => {
  const rows = [...localRules, ...refusalRules].flatMap(({ row }) => (row === undefined ? [] : [row]))
  expect(rows.filter((row) => !(row in repairRows))).toEqual([])
})

test('a repair that is safe because it is of the settings leaves the messages alone', () => {
  const unsafe = repairCases.filter(
    ({ row = 0, changesMessages }) => changesMessages && repairRows[row]?.[1] === 'settings',
  )
  expect(unsafe).toEqual([])
})

test('docs/repairs.md is drawn from the cases', async () => {
  await expect(repairsPage()).toMatchFileSnapshot('../docs/repairs.md')
})
