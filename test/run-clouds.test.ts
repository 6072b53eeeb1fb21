/** The real Claude Code, set up for a cloud, by `lastgood run`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileStore } from '@lastgood/core/file'
import { reply, startLab, text, toolResults, toolUse, type LabOptions } from '@lastgood/outage-lab'
import { describe, expect, onTestFinished, test, type TestContext } from 'vitest'
import { clients } from './clients/clients.ts'
import { root } from './clients/places.ts'
import { clientAt, modelAt, startClouds } from './support/clouds.ts'
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

/** Claude Code with its job, set up by `env`, in a store and a folder of its own. */
async function runClaude(context: TestContext, cloud: Record<string, string>, path = process.env['PATH']) {
  const bin = await installed(client, context)
  const folder = newFolder()
  const [home, cwd] = [join(folder, 'home'), join(folder, 'work')]
  for (const path of [home, cwd]) mkdirSync(path)
  const { env, args } = client.start({ home, bin, url: 'http://127.0.0.1:9' })
  const store = fileStore({ dir: join(folder, 'state') })
  const words = ['run', '--store', `file:${join(folder, 'state')}`, '--', join(bin, 'claude'), ...args]
  const usual = { PATH: path, TERM: 'dumb', ...env, ANTHROPIC_API_KEY: undefined }
  const running = startNode([lastgood, ...words], { cwd, env: { ...usual, ...cloud, HOME: home } })
  const { code, stderr } = await running.ended
  const answers = (await idsOf(store)).map(async (id) =>
    (await entriesOf(store, id)).filter(({ type }) => type === 'response-received'),
  )
  return {
    code,
    stderr,
    steps: readFileSync(join(cwd, 'steps'), 'utf8'),
    answers: (await Promise.all(answers)).map(({ length }) => length),
  }
}

const done = {
  code: 0,
  stderr: expect.stringMatching(/2 faults, 2 answers recovered/) as string,
  steps: '1\n2\n',
  // Not what it asks of each model at Bedrock first.
  answers: [3],
}

const key = { accessKeyId: 'ASIATESTTESTTESTTEST', secretAccessKey: 'se/cr+et', sessionToken: 'to/ken+0123456789==' }
const signing = (url: string) => ({
  CLAUDE_CODE_USE_BEDROCK: '1',
  AWS_REGION: 'us-east-1',
  ANTHROPIC_BEDROCK_BASE_URL: url,
})

/** A folder with an `aws` that gives `answers` in turn, the last one from then on; `calls`: what it was asked. */
function awsGiving(...answers: (string | { error: string })[]) {
  const folder = newFolder()
  const calls = join(folder, 'calls')
  const script = `#!${process.execPath}
const { appendFileSync, readFileSync } = require('node:fs')
appendFileSync('${calls}', process.argv.slice(2).join(' ') + '\\n')
const answers = ${JSON.stringify(answers)}
const answer = answers[Math.min(readFileSync('${calls}', 'utf8').split('\\n').length - 2, answers.length - 1)]
if (!answer.error) return console.log(answer)
console.error('\\n' + answer.error)
process.exitCode = 255
`
  writeFileSync(join(folder, 'aws'), script, { mode: 0o755 })
  return { path: `${folder}:${process.env['PATH']}`, calls: () => readFileSync(calls, 'utf8').trim().split('\n') }
}

const exported = ({ accessKeyId, secretAccessKey, sessionToken }: typeof key) =>
  JSON.stringify({
    Version: 1,
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
    Expiration: '2999-12-01T00:00:00+00:00',
  })

const ended = { error: 'Error when retrieving token from sso: Token has expired and refresh failed' }

describe.each([
  ['Bedrock', bedrock],
  ['Vertex AI', vertex],
  ['Foundry', foundry],
])('Claude Code at %s', (_name, cloud) => {
  test(
    'does each step once through a broken stream and a 503, and is recorded',
    { timeout: 120_000 },
    async (context) => {
      expect(await runClaude(context, await cloud())).toMatchObject(done)
    },
  )
})

describe('Claude Code at Bedrock, where it would sign its requests', () => {
  test(
    'does the same, signed by the gateway; no other credentials of it reach Amazon',
    { timeout: 120_000 },
    async (context) => {
      const { url, headers } = await startClouds(job, { keys: [key], now: Date.now })
      const env = {
        ...signing(url),
        AWS_ACCESS_KEY_ID: key.accessKeyId,
        AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
        AWS_SESSION_TOKEN: key.sessionToken,
        ANTHROPIC_AUTH_TOKEN: 'for-another',
      }
      expect(await runClaude(context, env)).toMatchObject(done)
      expect(JSON.stringify(headers)).not.toContain('for-another')
    },
  )

  test(
    'goes on where its credentials end in the middle, and the AWS CLI has new ones only when it is asked again',
    { timeout: 120_000 },
    async (context) => {
      const next = { ...key, accessKeyId: 'ASIANEXTNEXTNEXTNEXT' }
      const aws = awsGiving(exported(key), ended, exported(next))
      const { url } = await startClouds(job, { keys: [{ ...key, uses: 4 }, next], now: Date.now })
      const ran = await runClaude(context, { ...signing(url), AWS_PROFILE: 'dev' }, aws.path)
      expect(ran).toMatchObject({ ...done, stderr: expect.stringMatching(/3 faults/) as string })
      expect(ran.stderr).toMatch(/Token has expired and refresh failed; .*aws sso login --profile dev/)
      expect(ran.stderr).not.toContain(key.sessionToken)
      expect(aws.calls()).toEqual(Array(3).fill('configure export-credentials --profile dev'))
    },
  )
})

test.each([
  ['there is no AWS CLI', () => newFolder(), /there is no AWS CLI.*\n.*AWS_ACCESS_KEY_ID/],
  ['its login has ended', () => awsGiving(ended).path, /Token has expired and refresh failed\n.*aws sso login/],
  ['it says nothing', () => awsGiving('{}').path, /ended with 0, and gave none\n.*aws sso login/],
])(
  'where there are no AWS credentials (%s), nothing starts, and the next command is named',
  async (_why, path, told) => {
    const env = { ...signing('http://127.0.0.1:9'), PATH: path(), HOME: newFolder() }
    const started = startNode([lastgood, 'run', '--', process.execPath, '-e', 'console.log("ran")'], { env })
    const { code, stdout, stderr } = await started.ended
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(told)
  },
)

test('a gateway that was told to signs for clients that do not; the region is that of the environment', async () => {
  const { url, reached } = await startClouds(job, { keys: [key], now: Date.now })
  const { accessKeyId, secretAccessKey, sessionToken } = key
  const own = {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  }
  const env = { PATH: newFolder(), HOME: newFolder(), AWS_REGION: 'us-east-1', ...own }
  const gateway = startNode([lastgood, 'gateway', '--port', '0', '--upstream', url, '--sign-aws'], { env })
  const client = clientAt.bedrock(await gateway.firstLine(), { defaultHeaders: { 'x-lastgood-session': 'ses' } })
  const messages = [{ role: 'user' as const, content: 'Hi' }]
  expect(await client.messages.create({ model: modelAt.bedrock, max_tokens: 9, messages })).toMatchObject({
    content: [{ text: 'A title' }],
  })
  // The first was cut.
  expect(reached).toHaveLength(2)
  const { stderr } = await gateway.kill('SIGTERM')
  expect(stderr).not.toContain(sessionToken)
})

test('a cloud that Claude Code would reach past the gateway is named before it starts', async () => {
  const env = { PATH: process.env['PATH'], HOME: newFolder(), CLAUDE_CODE_USE_MANTLE: '1' }
  const started = startNode([lastgood, 'run', '--', process.execPath, '-e', 'console.log("ran")'], { env })
  const { code, stdout, stderr } = await started.ended
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/CLAUDE_CODE_USE_MANTLE.*\n.*env -u CLAUDE_CODE_USE_MANTLE lastgood run/)
})
