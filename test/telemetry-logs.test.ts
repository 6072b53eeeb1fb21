/** The log of a session: a line for each change, without content; and the gateway's own log, as JSON lines. */
import { once } from 'node:events'
import { join } from 'node:path'
import { defineAgent, ladder } from '@lastgood/anthropic'
import { memoryStore, type Logger } from '@lastgood/core'
import { reply, startLab, text, type Outage } from '@lastgood/outage-lab'
import { describe, expect, onTestFinished, test } from 'vitest'
import { newFolder } from './support/folder.ts'
import { openTestSession, startTestLab } from './support/harness.ts'
import { startNode } from './support/running-process.ts'

const [opus, sonnet] = ['claude-opus-5-5', 'claude-sonnet-5-5'] as const
const key = 'sk-ant-api03-0123456789abcdefghijklmnopqrstuvwxyz'
const [prompt, said] = ['the-words-of-the-prompt', 'the-words-of-the-answer']
const status = (n: number, code: number): Outage => ({ when: { request: n }, fault: { kind: 'status', status: code } })

function collecting() {
  const lines: { level: string; message: string; fields: Record<string, unknown> }[] = []
  const at = (level: string) => (fields: Record<string, unknown>, message: string) =>
    void lines.push({ level, message, fields })
  const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  return {
    logger,
    lines,
    events: () => lines.filter(({ level }) => level !== 'debug').map(({ fields }) => fields['event']),
  }
}

describe('the logger of a session', () => {
  test('has one line for each change, with fields, and none of the conversation', async () => {
    const down: Outage = { when: { requests: [1, 2], model: opus }, fault: { kind: 'status', status: 529 } }
    const { client } = await startTestLab({ model: () => reply(text(said)), outages: [down] })
    const { logger, lines, events } = collecting()
    const session = await openTestSession(memoryStore(), { logger })
    await session.run(defineAgent({ name: 'coder', client, model: ladder(opus, sonnet) }), prompt)
    expect(events()).toEqual(['attempt-failed', 'waiting', 'attempt-failed', 'fallback', 'recovered'])
    expect(lines.find(({ level }) => level === 'warn')).toMatchObject({
      message: 'attempt 1 failed',
      fields: { sessionId: 'ses', model: opus, fault: 'overloaded', status: 529, decision: 'retry' },
    })
    expect(JSON.stringify(lines)).not.toMatch(new RegExp(`${prompt}|${said}`))
  })

  test('hears of suspension and resume', async () => {
    const { client } = await startTestLab({ model: () => reply(text(said)), outages: [status(1, 529)] })
    const { logger, events } = collecting()
    const store = memoryStore()
    const agent = defineAgent({ name: 'coder', client, model: opus })
    const session = await openTestSession(store, { logger, policy: { maxAttempts: 1 } })
    await expect(session.run(agent, prompt)).rejects.toMatchObject({ code: 'session-suspended' })
    await session.close()
    await (await openTestSession(store, { logger })).run(agent)
    expect(events()).toEqual(['attempt-failed', 'suspended', 'resumed', 'recovered'])
  })

  test('that throws does not break the session', async () => {
    const { client } = await startTestLab({ model: () => reply(text(said)), outages: [status(1, 529)] })
    const broken = () => {
      throw new Error('the disk is full')
    }
    const warned = once(process, 'warning')
    const logger = { debug: broken, info: broken, warn: broken, error: broken }
    const session = await openTestSession(memoryStore(), { logger })
    await expect(session.run(defineAgent({ name: 'coder', client, model: opus }), prompt)).resolves.toMatchObject({
      text: said,
    })
    expect(await warned).toMatchObject([{ message: 'a listener failed: the disk is full' }])
  })
})

test('lastgood gateway --log json writes nothing but JSON lines, through an outage and warnings of Node, with neither keys nor prompts', async () => {
  const lab = await startLab({ model: () => reply(text(said)), outages: [status(1, 529), status(2, 500)] })
  onTestFinished(() => lab.close())
  const dir = newFolder()
  const bin = join(import.meta.dirname, '../packages/cli/dist/bin/lastgood.js')
  const argv = [bin, 'gateway', '--port', '0', '--upstream', lab.url, '--store', `file:${dir}`, '--log', 'json']
  const warns = `process.on('SIGUSR2',()=>process.emitWarning('a listener failed: ${key}',{code:'A_CODE'}))`
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: dir,
    LASTGOOD_STATUS_URL: 'off',
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(warns)}`,
  }
  const gateway = startNode(argv, { env, cwd: dir })
  const url = await gateway.firstLine()
  const response = await fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers: {
      'x-api-key': key,
      authorization: `Bearer ${key}`,
      'anthropic-version': '2023-06-01',
      'x-lastgood-session': `ses-${prompt.slice(0, 3)}`,
    },
    body: JSON.stringify({ model: opus, max_tokens: 100, messages: [{ role: 'user', content: `${prompt} ${key}` }] }),
  })
  expect(await response.text()).toContain(said)
  gateway.child.kill('SIGUSR2')
  await gateway.saw('A_CODE')
  const { stderr } = await gateway.kill('SIGTERM')
  const lines = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; level: string; msg: string; time: string; name: string })
  expect(lines.map(({ event }) => event)).toEqual([
    'listening',
    'dashboard',
    'ready',
    'attempt-failed',
    'waiting',
    'attempt-failed',
    'waiting',
    'recovered',
    'warning',
    'stopped',
  ])
  for (const { level, msg, name } of lines) {
    expect([level, msg, name]).toEqual([expect.stringMatching(/^(info|warn)$/), expect.any(String), 'lastgood'])
  }
  for (const secret of [prompt, said, key, key.slice(12)]) expect(stderr).not.toContain(secret)
})
