/** The program of docs/crash-testing.md does what the page says. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { documentOf, root } from './support/documents.ts'
import { newFolder } from './support/folder.ts'

test(
  'the loop of docs/crash-testing.md visits its crash points, and finds what breaks it',
  { timeout: 120_000 },
  async () => {
    const program = documentOf('docs/crash-testing.md').fences.find(({ language }) => language === 'js')!.text
    // Inside the workspace, so that imports resolve as they do for a user.
    const folder = newFolder(join(root, 'node_modules/.cache'))
    const run = async (text: string) => {
      const path = join(folder, 'crash-my-loop.mjs')
      writeFileSync(path, text)
      return promisify(execFile)(process.execPath, [path])
    }
    const { stdout } = await run(program)
    const counts = Array.from(stdout.matchAll(/^(\d+) crash points/gm), ([, count]) => Number(count))
    expect(counts).toHaveLength(2)
    for (const count of counts) expect(count).toBeGreaterThan(4)

    const careless = program.replace('(session.messages())', '([])')
    await expect(run(careless)).rejects.toThrow(/a call ran twice after a crash at write \d/)
  },
)
