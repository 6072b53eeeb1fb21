import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { shellWord } from './shell-word.ts'

test.each([
  ['fix-auth', 'fix-auth'],
  ['', "''"],
  ['file:/a  b', "'file:/a  b'"],
  ["it's", `'it'\\''s'`],
  ['$(rm -rf)', "'$(rm -rf)'"],
  ["a\n\u001b[2J\\'\u202eb", "$'a\\n\\x1b[2J\\\\\\'\\xe2\\x80\\xaeb'"],
])('a shell reads %j as one word', (word, quoted) => {
  expect(shellWord(word)).toBe(quoted)
})

test.skipIf(process.platform === 'win32')('a shell reads back every word as it was, from one line', () => {
  // No word of a command line has a zero byte.
  const words = fc.array(
    fc.string({ unit: 'binary' }).map((word) => word.toWellFormed().replaceAll('\0', '')),
    { minLength: 1 },
  )
  fc.assert(
    fc.property(words, (list) => {
      const line = `printf '%s\\0' ${list.map(shellWord).join(' ')}`
      expect(line).not.toMatch(/[\p{Cc}\u2028\u2029]/u)
      expect(execFileSync('bash', ['-c', line], { encoding: 'utf8' })).toBe(list.map((word) => `${word}\0`).join(''))
    }),
    { numRuns: 50 },
  )
})
