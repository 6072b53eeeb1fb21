/** S16: what log files, events and exports say of a session. (That the page is its user's alone is tested with the page.) */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Anthropic from '@anthropic-ai/sdk'
import { reply, story, text, toolUse, type Outage } from '@lastgood/outage-lab'
import { expect, test } from 'vitest'
import { apiKey, journey, keepScreen, type Journey } from './stage.ts'

const secrets = {
  key: apiKey,
  prompt: 'Rotate the falcon credentials',
  'tool output': 'the vault code is 4711-heron',
}
const model = story([
  reply([text('Reading.'), toolUse('read', { path: 'vault.txt' })]),
  {
    expect: { toolResult: secrets['tool output'] },
    reply: reply([text('Now.'), toolUse('shell', { command: 'rotate' })]),
  },
  reply(text('It is done.')),
])
/** An outage of every kind that is logged, and a refusal in the end. */
const outages: Outage[] = [
  { when: { request: 2 }, fault: { kind: 'status', status: 500 } },
  { when: { request: 3 }, fault: { kind: 'cut', after: { inside: 'text' }, how: 'reset' } },
  { when: { requests: [6, Infinity] }, fault: { kind: 'status', status: 402, type: 'billing_error' } },
]

/** Which of these stand in the texts, and where. */
function leaksOf(names: readonly (keyof typeof secrets)[], texts: Readonly<Record<string, string>>): string[] {
  return Object.entries(texts).flatMap(([where, text]) =>
    names.filter((name) => text.includes(secrets[name])).map((name) => `${name} in ${where}`),
  )
}

const all = ['key', 'prompt', 'tool output'] as const

/** A session with all that, run without a terminal as a service runs it; what it wrote on the way. */
async function logged(): Promise<{ at: Journey; logs: Record<string, string> }> {
  const at = await journey({ model, outages })
  writeFileSync(join(at.cwd, 'vault.txt'), secrets['tool output'])
  const watch = at.start('lastgood', ['watch', '--jsonl'])
  await watch.saw('store ')
  const program = at.start('main', ['fix-auth', secrets.prompt], { env: { HANG: 'shell' } })
  await program.saw('HANGING')
  const killed = await program.kill()
  const resumed = await at.run('lastgood', ['resume', 'fix-auth', '--jsonl'])
  expect(resumed).toMatchObject({ code: 0 })
  const refused = await at.run('lastgood', ['resume', 'fix-auth', secrets.prompt, '--json'])
  expect(refused.code).not.toBe(0)
  await watch.saw('"decision":"suspend"')
  const logs: Record<string, string> = {
    program: killed.stderr,
    'resume, talk': resumed.stderr,
    'resume, events': resumed.stdout,
    'resume that is refused': refused.stderr + refused.stdout,
    watch: (await watch.kill('SIGINT')).stdout,
  }
  const commands = ['list --all', 'status', 'doctor', 'config']
  const ran = await Promise.all(commands.map((command) => at.run('lastgood', [...command.split(' '), '--json'])))
  for (const [index, command] of commands.entries()) logs[command] = ran[index]!.stdout
  return { at, logs }
}

test('S16: no log, event, document or export for others has a key, a prompt or what a tool gave; what can be imported is its owner’s alone, and has no key', async () => {
  const { at, logs } = await logged()
  expect(Object.entries(logs).filter(([, text]) => text === '')).toEqual([])
  expect(leaksOf(all, logs)).toEqual([])
  keepScreen('s16-events', logs['resume, events']!)

  const redacted = await at.run('lastgood', ['export', 'fix-auth', '-', '--redact'])
  expect(redacted.code).toBe(0)
  expect(redacted.stdout.split('\n').length).toBeGreaterThan(10)
  expect(leaksOf(all, { 'export --redact': redacted.stdout })).toEqual([])
  keepScreen('s16-redacted', redacted.stdout)

  expect(await at.run('lastgood', ['export', 'fix-auth'])).toMatchObject({ code: 0 })
  const file = join(at.cwd, 'fix-auth.lastgood.jsonl')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const exported = readFileSync(file, 'utf8')
  expect(exported).toContain(secrets.prompt)
  expect(leaksOf(['key'], { export: exported })).toEqual([])

  // The journal is content too; the key is in none of its files, and nobody else can read them.
  const places = readdirSync(at.home, { recursive: true, withFileTypes: true })
  const files = places.filter((place) => place.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  expect(files.some((path) => readFileSync(path, 'utf8').includes(secrets['tool output']))).toBe(true)
  expect(leaksOf(['key'], Object.fromEntries(files.map((path) => [path, readFileSync(path, 'utf8')])))).toEqual([])
  expect(files.filter((path) => (statSync(path).mode & 0o077) !== 0)).toEqual([])
})

test('S16: neither has the log of a gateway, nor its metrics', async () => {
  const at = await journey({ model, outages: [{ when: { request: 1 }, fault: { kind: 'status', status: 500 } }] })
  const gateway = at.start('lastgood', ['gateway', '--port', '0', '--upstream', at.lab.url])
  await gateway.saw(/^http:\/\/127\.0\.0\.1:\d+\n/)
  const url = gateway.written.stdout.trim()
  const client = new Anthropic({
    baseURL: url,
    apiKey,
    maxRetries: 0,
    defaultHeaders: { 'x-lastgood-session': 'fix-auth' },
  })
  const tools = [{ name: 'read', input_schema: { type: 'object' as const } }]
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: secrets.prompt }]
  const ask = () =>
    client.messages.stream({ model: 'claude-opus-5-5', max_tokens: 1024, tools, messages }).finalMessage()
  const { content } = await ask()
  const call = content.find((block) => block.type === 'tool_use')!
  const result = { type: 'tool_result' as const, tool_use_id: call.id, content: secrets['tool output'] }
  messages.push({ role: 'assistant', content }, { role: 'user', content: [result] })
  await ask()
  const metrics = await (await fetch(`${url}/metrics`)).text()
  const { stdout, stderr } = await gateway.kill('SIGTERM')
  expect(stderr).toContain('fix-auth  500 server-transient: next try')
  keepScreen('s16-gateway', stdout + stderr)
  expect(metrics).toContain('lastgood_attempts_total')
  expect(leaksOf(all, { stdout, stderr, metrics })).toEqual([])
})
