import { expect, it } from 'vitest'
import { nearest } from './nearest.ts'

it.each([
  ['lits', 'list'],
  ['shwo', 'show'],
  ['fix-auht', 'fix-auth'],
  ['LIST', 'list'],
  ['deploy', undefined],
  ['', undefined],
])('%j could have meant %j', (word, meant) => {
  expect(nearest(word, ['list', 'show', 'resume', 'fix-auth'])).toBe(meant)
})
