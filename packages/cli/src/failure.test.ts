import { LastgoodError } from '@lastgood/core'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { failureOf } from './failure.ts'

it.each([
  new Error('connect to redis://app:hunter2@10.0.0.1 failed'),
  new LastgoodError('store-unavailable', 'DB_PASSWORD=hunter2 is wrong', { hint: 'look' }),
  new LastgoodError('store-unavailable', 'it cannot answer', {
    hint: 'look',
    cause: new Error(`${' '.repeat(280)}Authorization: Bearer hunter2-and-more`),
  }),
])('no secret of a known shape is in what a failed command tells: %s', (error) => {
  expect(JSON.stringify(failureOf(error))).toContain('[secret]')
  expect(JSON.stringify(failureOf(error))).not.toContain('hunter2')
})

it('names a page that comes with the package, and leads nowhere outside of it', () => {
  const { docs = '' } = failureOf(new LastgoodError('store-unavailable', 'it cannot answer', { hint: 'look' }))
  const page = readFileSync(docs, 'utf8')
  expect(page).toContain('# store-unavailable')
  expect(page).toContain('see packages/redis.')
  expect(page).not.toContain('](../')
})
