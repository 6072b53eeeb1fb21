import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { startLab, reply, text, type Outage } from '@lastgood/outage-lab'
import { describe, expect, onTestFinished, test } from 'vitest'
import { newFolder, run } from '../../test/context.ts'

async function lab(outages: Outage[] = []) {
  const it = await startLab({ model: () => reply(text('Hello.')), outages })
  onTestFinished(() => it.close())
  return it
}

/** A client that nobody changed, as a program of its own. */
const client = `
const url = process.env.ANTHROPIC_BASE_URL + '/v1/messages'
const body = JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] })
const headers = { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', 'x-api-key': 'k', 'x-lastgood-session': 'greeting' }
const response = await fetch(url, { method: 'POST', headers, body })
const answer = await response.json()
if (answer.content?.[0]?.text !== 'Hello.') process.exit(9)
process.exit(Number(process.argv[1] ?? 0))
`
const node = (...words: string[]) => ['--', process.execPath, '--input-type=module', '-e', client, ...words]

describe('lastgood run', () => {
  test('gives a command its gateway, its exit code back, and tells what was survived', async () => {
    const { url } = await lab([{ when: { request: 1 }, fault: { kind: 'status', status: 529 } }])
    const cwd = newFolder()
    const place = ['--store', `file:${cwd}/state`]
    const { code, stderr } = await run(['run', '--upstream', url, ...place, ...node('7')], { cwd, env: process.env })
    expect(code).toBe(7)
    expect(stderr).toMatch(/greeting {2}529 overloaded: next try .*\n.*greeting {2}answered after .*, attempt 2\n/)
    expect(stderr).toContain(
      `1 answer in 1 session; 1 fault, 1 answer recovered\n  lastgood show greeting ${place.join(' ')}\n`,
    )
    expect((await run(['show', 'greeting', ...place], { cwd })).code).toBe(0)
  })

  test('of Claude Code is resumed by Claude Code: resume prints its command', async () => {
    const { url } = await lab()
    const cwd = newFolder()
    const place = ['--store', `file:${cwd}/state`]
    const said = client
      .replace("'x-lastgood-session': 'greeting'", "'x-claude-code-session-id': '5f0d'")
      .replace('max_tokens: 9,', "max_tokens: 9, tools: [{ name: 'Bash', input_schema: { type: 'object' } }],")
    const argv = ['run', '--upstream', url, ...place, '--', process.execPath, '--input-type=module', '-e', said]
    expect((await run(argv, { cwd, env: process.env })).code).toBe(0)
    const { code, stdout } = await run(['resume', '5f0d', ...place], { cwd })
    const command = `lastgood run ${place.join(' ')} -- claude --resume 5f0d`
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${command}\n` })
    expect((await run(['resume', 'last', 'Go on', ...place], { cwd })).stdout).toBe(`${command} 'Go on'\n`)
    const asJson = await run(['resume', '5f0d', '--json', ...place], { cwd })
    expect(JSON.parse(asJson.stdout)).toMatchObject({ sessionId: '5f0d', agent: 'claude-code', command: stdout.trim() })
    expect((await run(['list', '--all', ...place], { cwd })).stdout).toContain('claude-code')
    expect((await run(['show', '5f0d', ...place], { cwd })).stdout).toContain(` · in ${cwd}\n`)
  })

  test.each([
    [
      'no-such-agent',
      'install it; if it is an alias of your shell, give its file: lastgood run -- /path/to/no-such-agent',
    ],
    ['no-such-agent -p Hi', 'write the command as in a shell, after --: lastgood run -- claude'],
  ])('tells of a command that is not there, and what to do: %s', async (name, next) => {
    const cwd = newFolder()
    const { code, stderr } = await run(['run', '--store', `file:${cwd}/state`, '--', name], { cwd })
    expect(code).toBe(2)
    expect(stderr).toContain(`"${name}" could not be started: there is no such command`)
    expect(stderr).toContain(`  next: ${next}\n`)
  })
})

describe('lastgood gateway', () => {
  test('serves until it is asked to stop, and gives its sessions back', async () => {
    const { url } = await lab()
    const cwd = newFolder()
    const place = ['--store', `file:${cwd}/state`]
    const gateway = run(['gateway', '--port', '0', '--upstream', url, ...place], { cwd })
    await expect.poll(() => gateway.stdout.text).toMatch(/^http:\/\/127\.0\.0\.1:\d+\n$/)
    const address = gateway.stdout.text.trim()
    const response = await fetch(`${address}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': 'k', 'anthropic-version': '2023-06-01', 'x-lastgood-session': 'greeting' },
      body: JSON.stringify({
        model: 'claude-opus-5-5',
        max_tokens: 9,
        stream: true,
        messages: [{ role: 'user', content: 'Hi' }],
      }),
    })
    expect(await response.text()).toContain('event: message_stop')
    gateway.stop('SIGTERM')
    const { code, stderr } = await gateway
    expect(code).toBe(0)
    expect(stderr).toContain('1 answer in 1 session; nothing failed')
    const { stdout } = await run(['list', '--all', '--json', ...place], { cwd })
    expect(JSON.parse(stdout)).toMatchObject({ sessions: [{ sessionId: 'greeting', status: 'idle', heldBy: null }] })
  })

  test('writes neither keys nor content: not to its outputs, and no keys to the store', async () => {
    const { url, requests } = await lab([{ when: { request: 1 }, fault: { kind: 'status', status: 401 } }])
    const cwd = newFolder()
    const argv = ['gateway', '--port', '0', '--upstream', url, '--store', `file:${cwd}/state`, '--key-env', 'MY_KEY']
    const gateway = run(argv, { cwd, env: { MY_KEY: 'sk-ant-own-secret' } })
    await expect.poll(() => gateway.stdout.text).toMatch(/\n$/)
    const ask = (path: string, body: object) =>
      fetch(`${gateway.stdout.text.trim()}${path}`, {
        method: 'POST',
        headers: { 'x-api-key': 'sk-ant-client-secret', 'x-lastgood-session': 'greeting' },
        body: JSON.stringify(body),
      }).then((response) => response.text())
    const message = {
      model: 'claude-opus-5-5',
      max_tokens: 9,
      messages: [{ role: 'user', content: 'my private words' }],
    }
    await ask('/v1/messages', message)
    await ask('/v1/messages', message)
    await ask('/v1/messages/count_tokens', message)
    gateway.stop('SIGTERM')
    const { stdout, stderr } = await gateway
    expect(requests.map(({ headers }) => headers['x-api-key'])).toContain('sk-ant-own-secret')
    expect(`${stdout}${stderr}`).not.toMatch(/secret|private words/)
    const files = readdirSync(join(cwd, 'state'), { recursive: true, withFileTypes: true })
    const texts = files.flatMap((file) =>
      file.isFile() ? [readFileSync(join(file.parentPath, file.name), 'utf8')] : [],
    )
    expect(texts.join('')).toContain('my private words')
    expect(texts.join('')).not.toContain('secret')
  })

  test('leads the command that an error names to its store', async () => {
    const { url } = await lab([{ when: { requests: [1, Infinity] }, fault: { kind: 'status', status: 529 } }])
    const cwd = newFolder()
    const place = ['--store', `file:${cwd}/state`]
    const gateway = run(['gateway', '--port', '0', '--upstream', url, '--max-wait', '0s', ...place], { cwd })
    await expect.poll(() => gateway.stdout.text).toMatch(/\n$/)
    const response = await fetch(`${gateway.stdout.text.trim()}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': 'k', 'x-claude-code-session-id': '5f0d' },
      body: JSON.stringify({
        model: 'claude-opus-5-5',
        max_tokens: 9,
        tools: [{ name: 'Bash', input_schema: { type: 'object' } }],
        messages: [{ role: 'user', content: 'Hi' }],
      }),
    })
    const { error } = (await response.json()) as { error: { message: string } }
    expect(error.message).toMatch(new RegExp(`lastgood resume 5f0d ${place.join(' ')}$`))
    gateway.stop('SIGTERM')
    expect((await gateway).code).toBe(0)
  })

  test('answers faults by the policy of the configuration, also with the store and the longest wait from a flag', async () => {
    const { url, requests } = await lab([{ when: { request: 1 }, fault: { kind: 'status', status: 529 } }])
    const cwd = newFolder()
    const rules = "{ overloaded: { action: 'suspend', probeMs: 60_000, reason: 'Not tonight' } }"
    writeFileSync(join(cwd, 'lastgood.config.mjs'), `export default { policy: { rules: ${rules} } }\n`)
    const place = ['--store', `file:${cwd}/state`, '--no-dashboard', '--max-wait', '1h']
    const gateway = run(['gateway', '--port', '0', '--upstream', url, ...place], { cwd })
    await expect.poll(() => gateway.stdout.text).toMatch(/\n$/)
    const response = await fetch(`${gateway.stdout.text.trim()}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': 'k', 'anthropic-version': '2023-06-01', 'x-lastgood-session': 'greeting' },
      body: JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] }),
    })
    expect(response.status).toBe(529)
    expect(await response.text()).toContain('Not tonight')
    expect(requests).toHaveLength(1)
    gateway.stop('SIGTERM')
    expect((await gateway).code).toBe(0)
  })

  test.each(['first-secret\nsecond-secret', 'cl\u00e9-secret', '\u201csecret\u201d', 'a secret'])(
    'with a key that no header can have (%j) says so, and not what it is',
    async (key) => {
      const cwd = newFolder()
      const argv = ['gateway', '--port', '0', '--store', `file:${cwd}/state`, '--key-env', 'MY_KEY']
      const { code, stderr } = await run(argv, { cwd, env: { MY_KEY: key } })
      expect(code).toBe(2)
      expect(stderr).toContain('--key-env MY_KEY names a variable whose value is not a key')
      expect(stderr).not.toContain('secret')
    },
  )

  test('on a port that is taken says so, and which one to try', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void other.close())
    const { port } = other.address() as { port: number }
    const cwd = newFolder()
    const { code, stderr } = await run(['gateway', '--port', String(port), '--store', `file:${cwd}/state`], { cwd })
    expect(code).toBe(2)
    expect(stderr).toContain(`port ${port} of 127.0.0.1 is taken by another process`)
    expect(stderr).toContain(port < 65_535 ? `--port ${port + 1}` : '--port 0')
  })

  test('at an address that this machine does not have says so, and proposes no port', async () => {
    const cwd = newFolder()
    const away = ['--host', '192.0.2.1', '--allow-host', 'gateway.example', '--behind-proxy']
    const { code, stderr } = await run(['gateway', '--port', '0', ...away, '--store', `file:${cwd}/state`], { cwd })
    expect(code).toBe(2)
    expect(stderr).toContain('name an address of this machine: --host 127.0.0.1')
    expect(stderr).not.toContain('--port')
  })

  test('that is its own upstream says so: it would ask itself for ever', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    await new Promise((resolve) => other.close(resolve))
    const cwd = newFolder()
    const argv = ['gateway', '--port', String(port), '--upstream', `http://127.0.0.1:${port}`]
    const { code, stderr } = await run([...argv, '--store', `file:${cwd}/state`], { cwd })
    expect(code).toBe(2)
    expect(stderr).toContain('is this gateway itself')
  })

  test.each([
    [['--host', '0.0.0.0'], 'lets other machines in'],
    [['--port', 'http'], 'a port is a number'],
    [['--key-env', 'NO_SUCH_KEY'], 'names a variable that is not set'],
    [['--upstream', 'ftp://x'], 'upstream must be an http or https address'],
    [['--stall', '0s'], '--stall 0s is too short for any answer to arrive'],
    [['--stall', '999ms'], '--stall 999ms is too short'],
    [['--hold', 'long'], '--hold takes a duration'],
  ])('%j is told as a mistake', async (argv, told) => {
    const cwd = newFolder()
    const { code, stderr } = await run(['gateway', '--store', `file:${cwd}/state`, ...argv], { cwd })
    expect(code).toBe(2)
    expect(stderr).toContain(told)
  })
})
