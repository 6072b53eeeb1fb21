/** The real Claude Code, set up for a cloud, by `lastgood run`. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileStore } from '@lastgood/core/file'
import { reply, startLab, text, toolResults, toolUse, type LabOptions } from '@lastgood/outage-lab'
import { describe, expect, onTestFinished, test } from 'vitest'
import { clients } from './clients/clients.ts'
import { root } from './clients/places.ts'
import { startClouds } from './support/clouds.ts'
import { newFolder } from './support/folder.ts'
import { idsOf } from './support/gateway-stage.ts'
import { entriesOf } from './support/harness.ts'
import { installed } from './support/installed-client.ts'
import { startNode } from './support/running-process.ts'

const client = clients.find(({ name }) => name === 'claude-code')!
const lastgood = join(root, 'packages/cli/dist/bin/lastgood.js')

const job: LabOptions = {
  model: (conversation) => {
    if (conversation.tools.length === 0) return reply(text('A title'))
    const done = toolResults(conversation).length
    if (done === 2) return reply(text('All done.'))
    return reply([
      text(`Step ${done + 1}.`),
      toolUse('Bash', { command: `echo ${done + 1} >> steps`, description: 'Adds' }),
    ])
  },
  outages: [
    { when: { request: 1 }, fault: { kind: 'cut', after: { inside: 'text' }, how: 'reset' } },
    { when: { request: 3 }, fault: { kind: 'status', status: 503 } },
  ],
  toolIds: 'fresh',
}

async function foundry() {
  const lab = await startLab(job)
  onTestFinished(() => lab.close())
  return { CLAUDE_CODE_USE_FOUNDRY: '1', ANTHROPIC_FOUNDRY_API_KEY: 'test', ANTHROPIC_FOUNDRY_BASE_URL: lab.url }
}

async function vertex() {
  const { url } = await startClouds(job)
  return {
    CLAUDE_CODE_USE_VERTEX: '1',
    CLAUDE_CODE_SKIP_VERTEX_AUTH: '1',
    ANTHROPIC_VERTEX_BASE_URL: `${url}/v1`,
    ANTHROPIC_VERTEX_PROJECT_ID: 'test',
    CLOUD_ML_REGION: 'us-east5',
  }
}

async function bedrock() {
  const { url } = await startClouds(job)
  return {
    CLAUDE_CODE_USE_BEDROCK: '1',
    AWS_BEARER_TOKEN_BEDROCK: 'test',
    AWS_REGION: 'us-east-1',
    ANTHROPIC_BEDROCK_BASE_URL: url,
  }
}

describe.each([
  ['Bedrock', bedrock],
  ['Vertex AI', vertex],
  ['Foundry', foundry],
])('Claude Code at %s', (_name, cloud) => {
  test(
    'does each step once through a broken stream and a 503, and is recorded',
    { timeout: 120_000 },
    async (context) => {
      const bin = await installed(client, context)
      const folder = newFolder()
      const [home, cwd] = [join(folder, 'home'), join(folder, 'work')]
      for (const path of [home, cwd]) mkdirSync(path)
      const { env, args } = client.start({ home, bin, url: 'http://127.0.0.1:9' })
      const store = fileStore({ dir: join(folder, 'state') })
      const words = ['run', '--store', `file:${join(folder, 'state')}`, '--', join(bin, 'claude'), ...args]
      const running = startNode([lastgood, ...words], {
        cwd,
        env: {
          PATH: process.env['PATH'],
          TERM: 'dumb',
          ...env,
          ANTHROPIC_API_KEY: undefined,
          ...(await cloud()),
          HOME: home,
        },
      })
      expect(await running.ended).toMatchObject({
        code: 0,
        stderr: expect.stringMatching(/2 faults, 2 answers recovered/),
      })
      expect(readFileSync(join(cwd, 'steps'), 'utf8')).toBe('1\n2\n')
      const answers = (await idsOf(store)).map(async (id) =>
        (await entriesOf(store, id)).filter(({ type }) => type === 'response-received'),
      )
      // At Bedrock it also asks each model for a word first.
      expect((await Promise.all(answers)).map(({ length }) => length)).toContain(3)
    },
  )
})

test('a cloud that Claude Code would reach past the gateway is named before it starts', async () => {
  const env = { PATH: process.env['PATH'], HOME: newFolder(), CLAUDE_CODE_USE_MANTLE: '1' }
  const started = startNode([lastgood, 'run', '--', process.execPath, '-e', 'console.log("ran")'], { env })
  const { code, stdout, stderr } = await started.ended
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/CLAUDE_CODE_USE_MANTLE.*\n.*env -u CLAUDE_CODE_USE_MANTLE lastgood run/)
})
