/** The programs of README.md do what the page says, with an empty home, against the lab. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { reply, startLab, text, toolResults, toolUse } from '@lastgood/outage-lab'
import { transformWithOxc } from 'vite'
import { expect, onTestFinished, test } from 'vitest'
import { documentOf, root } from './support/documents.ts'
import { newFolder } from './support/folder.ts'

const { fences } = documentOf('README.md')
const bin = join(root, 'packages/cli/dist/bin/lastgood.js')

/** A folder for the programs, and a model that wants one command and is done. */
async function place() {
  // Inside the workspace, so that imports resolve as they do for a user.
  const cwd = newFolder(join(root, 'node_modules/.cache'))
  const lab = await startLab({
    model: (said) => reply(toolResults(said).length === 0 ? toolUse('shell', { command: 'echo hi' }) : text('Green.')),
    outages: [{ when: { request: 1 }, fault: { kind: 'status', status: 529 } }],
  })
  onTestFinished(() => lab.close())
  const home = newFolder()
  const { PATH } = process.env
  const env = { PATH, HOME: home, USERPROFILE: home, ANTHROPIC_API_KEY: 'any', ANTHROPIC_BASE_URL: lab.url }
  const node = async (...words: string[]) => (await promisify(execFile)(process.execPath, words, { cwd, env })).stdout
  return { cwd, lab, node }
}

test('the loop of your own gets its answer through an outage, and an ended turn is there for the next start', async () => {
  const { cwd, lab, node } = await place()
  const program = fences.find(({ language }) => language === 'ts')!.text
  const readers = `const tools = [{ name: 'shell', description: 'Runs it.', input_schema: { type: 'object' } }]
    const runTool = async (call: { id: string }) => ({ type: 'tool_result', tool_use_id: call.id, content: 'hi' })`
  const { code } = await transformWithOxc(`${readers}\n${program}console.log(messages.length)`, 'loop.ts')
  writeFileSync(join(cwd, 'loop.mjs'), code)
  expect(await node('loop.mjs')).toBe('4\n')
  expect(lab.requests.map(({ outcome }) => outcome?.kind)).toEqual(['fault', 'ok', 'ok'])
  expect(await node('loop.mjs')).toBe('6\n')
})

test('the agent runs once, returns the recorded reply when it is started again, and is found by resume', async () => {
  const { cwd, lab, node } = await place()
  for (const { text: program } of fences) {
    const [, name] = /^\/\/ ([\w.-]+\.mjs)\n/.exec(program) ?? []
    if (name !== undefined) writeFileSync(join(cwd, name), program)
  }
  expect(await node('main.mjs')).toBe('Green.\n')
  const { length } = lab.requests
  expect(await node('main.mjs')).toBe('Green.\n')
  expect(lab.requests).toHaveLength(length)
  expect(await node(bin, 'list', '--all')).toMatch(/^idle {4}fix-auth {2}coder {2}1 {5}1 /m)
  expect(await node(bin, 'resume', 'fix-auth', 'Now update the changelog', '--max-wait', '10m')).toBe('Green.\n')
})
