/** docs/symptoms.md: what it says about a message is what lastgood does with it, and its commands exist. */
import { classify } from '@lastgood/core'
import { describe, expect, test } from 'vitest'
import { commandNames } from '../packages/cli/src/commands.ts'
import { run } from '../packages/cli/test/context.ts'
import { documentOf } from './support/documents.ts'
import { seenWith } from './support/error-index.ts'

const { rows, code, fences } = documentOf('docs/symptoms.md')
const seen = rows.flatMap(([message = '', status = '', cell = '']) => {
  const kind = /^\[([a-z-]+)\]\(faults\.md#\1\)$/.exec(cell)?.[1]
  return kind === undefined || status === '' ? [] : [{ message, status, kind }]
})

describe('docs/symptoms.md', () => {
  test.each(seen)('"$message" with $status is $kind', ({ message, status, kind }) => {
    expect(classify(seenWith(message, status)).kind).toBe(kind)
  })

  test('has the messages that people search for', () => {
    const all = seen.map(({ message }) => message).join('\n')
    const searched = [
      'API Error: 500 Internal server error',
      'Repeated 529 Overloaded',
      'text content blocks must be non-empty',
      '`tool_use` ids were found without `tool_result` blocks',
      'blocks in the latest assistant message cannot be modified',
      'prompt is too long',
      'terminated',
    ]
    for (const words of searched) expect(all).toContain(words)
  })

  const commands = [...new Set([...code, ...fences.flatMap(({ text }) => text.split('\n'))])]
    .map((line) => line.replace(/ +#.*/, ''))
    .filter((line) => line.startsWith('lastgood '))

  test.each(commands)('%s: its command and options are known', async (line) => {
    const [name = '', ...words] = line.split(' ').slice(1)
    expect(commandNames).toContain(name)
    const { stdout } = await run([name, '--help'])
    for (const word of words) if (word.startsWith('--')) expect(stdout).toContain(`${word} `)
  })

  test('has commands', () => expect(commands.length).toBeGreaterThan(12))
})
