import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { project, run, seed } from '../test/context.ts'

it('one entry and one message are told as one, by whoever counts them', async () => {
  const { cwd, store } = project('coder: {}')
  await seed(store, 'small', [])
  const said = async (...argv: string[]): Promise<string> => {
    const { stdout, stderr } = await run(argv, { cwd })
    return stdout + stderr
  }
  expect(await said('show', 'small')).toMatch(/small\.jsonl, 1 entry$/m)
  expect(await said('prune', '--older-than', '1ms', '--dry-run')).toMatch(/small .*, 1 entry$/m)
  expect(await said('export', 'small', 'small.jsonl')).toContain('✔ 1 entry of small,')
  expect(await said('import', 'small.jsonl', '--as', 'copy')).toContain('✔ 1 entry of small is in ')
  writeFileSync(join(cwd, 'one.json'), JSON.stringify([{ role: 'user', content: 'Hello' }]))
  expect(await said('repair', 'one.json')).toMatch(/, 1 message$/m)
})
