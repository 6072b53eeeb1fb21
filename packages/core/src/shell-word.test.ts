import { execFileSync, spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { shellWord } from './shell-word.ts'

test.each([
  ['fix-auth', 'fix-auth'],
  ['', "''"],
  ['file:/a  b', "'file:/a  b'"],
  ["it's", `'it'\\''s'`],
  ['$(rm -rf)', "'$(rm -rf)'"],
  ['C:\\a', "'C:\\a'"],
  ['~', "'~'"],
  ['=ls', "'=ls'"],
  ['a=~', "'a=~'"],
  ['line one\nline two', `"$(printf 'line one\\012line two')"`],
  ["-50%\n\u001b[2J\\'\u202eb", `"$(printf '\\05550%%\\012\\033[2J\\134\\047\\342\\200\\256b')"`],
  ['a\n', `"$(printf 'a')"'\n'`],
])('a shell reads %j as one word', (word, quoted) => {
  expect(shellWord(word)).toBe(quoted)
})

// No word of a command line has a zero byte.
const words = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('\\', "'", '%', '=', '~', '-', '$', '\n', '\t', 'a', '0', '!') }),
    fc.constantFrom('=ls', '~', '~root', 'a=~', 'a=b:~', '%self', '-n', '--', '{a,b}', '\r\n', 'two\nlines\n\n', '\n'),
  )
  .map((word) => word.toWellFormed().replaceAll('\0', ''))
const shells = ['bash', 'zsh', 'fish', 'dash']
const installed = shells.filter((shell) => spawnSync(shell, ['-c', 'exit']).status === 0)

describe.skipIf(process.platform === 'win32')('every word is read back as it was', () => {
  it.each(installed)('%s', (shell) => {
    fc.assert(
      fc.property(fc.array(words, { minLength: 1 }), (list) => {
        const line = `printf '%s\\0' ${list.map(shellWord).join(' ')}`
        const read = execFileSync(shell, ['-c', line], { encoding: 'utf8' })
        expect(read).toBe(list.map((word) => `${word}\0`).join(''))
      }),
      { numRuns: 50 },
    )
  })
})

test('nothing of a word is obeyed by a terminal, and only line breaks at its end begin another line', () => {
  fc.assert(
    fc.property(words, (word) => {
      expect(shellWord(word).replace(/\n+'$/, '')).not.toMatch(/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u)
    }),
  )
})
