import { describe, expect, it } from 'vitest'
import { Collector, run } from '../test/context.ts'
import { commandNames } from './commands.ts'

/** What is read at a prompt: a tall terminal of the usual width, without scrolling. */
const [columns, rows] = [80, 40]

async function helpOf(...words: string[]): Promise<string[]> {
  const stdout = Object.assign(new Collector(), { columns })
  expect(await run([...words, '--help'], { stdout })).toMatchObject({ code: 0, stderr: '' })
  return stdout.text.trimEnd().split('\n')
}

describe('help', () => {
  it.each([[[]], ...commandNames.map((name) => [[name]])])(
    `of "lastgood %j" fits ${columns} columns and ${rows} lines, and has an example`,
    async (words) => {
      const lines = await helpOf(...words)
      expect(lines.filter((line) => line.length > columns)).toEqual([])
      expect(lines.length).toBeLessThanOrEqual(rows)
      const at = lines.findIndex((line) => /^Examples?\b.*:$/.test(line))
      // Of the command itself, as it is typed.
      expect(lines.slice(at + 1).join('\n')).toMatch(words[0] ? new RegExp(`\\b${words[0]}\\b`) : /^ {2}lastgood /)
      expect(at).toBeGreaterThan(0)
    },
  )

  it('of the program says in one line each what there is', async () => {
    const lines = await helpOf()
    const list = lines.slice(lines.indexOf('Commands:') + 1)
    expect(list.slice(0, commandNames.length).map((line) => line.trim().split(' ')[0])).toEqual(commandNames)
  })
})
