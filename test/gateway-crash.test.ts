/** A gateway that is killed: its clients' next attempts find their sessions at the next one; nothing is paid twice. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { reply, startLab, text, type Outage } from '@lastgood/outage-lab'
import { expect, onTestFinished, test } from 'vitest'
import { newFolder } from './support/folder.ts'
import { startNode } from './support/running-process.ts'

const lastgood = fileURLToPath(new URL('../packages/cli/dist/bin/lastgood.js', import.meta.url))

async function startGateway(upstream: string, home: string) {
  const args = [lastgood, 'gateway', '--port', '0', '--upstream', upstream, '--store', `file:${join(home, 'state')}`]
  const gateway = startNode(args, { cwd: home, env: { HOME: home } })
  return { url: await gateway.firstLine(), kill: () => gateway.kill() }
}

async function stage(outages: Outage[] = []) {
  const home = newFolder()
  const lab = await startLab({ model: () => reply(text('an answer of some words '.repeat(50))), outages })
  onTestFinished(() => lab.close())
  return { lab, start: () => startGateway(lab.url, home) }
}

const ask = (url: string) =>
  fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': 'k', 'anthropic-version': '2023-06-01', 'x-lastgood-session': 'ses' },
    body: JSON.stringify({
      model: 'claude-opus-5-5',
      max_tokens: 1000,
      stream: true,
      messages: [{ role: 'user', content: 'Hello' }],
    }),
  })

test('P1: an answer that was recorded is given again, and paid for once', async () => {
  const { lab, start } = await stage()
  const first = await start()
  const said = await (await ask(first.url)).text()
  await first.kill()
  const again = await ask((await start()).url)
  expect(again.headers.get('x-lastgood-replayed')).toBe('true')
  const texts = (stream: string) =>
    [...stream.matchAll(/"text_delta","text":"([^"]*)"/g)].map(([, one]) => one).join('')
  expect(texts(await again.text())).toBe(texts(said))
  expect(lab.requests).toHaveLength(1)
})

test('P6: an answer that was cut off with it is asked for again, and the session goes on', async () => {
  const { lab, start } = await stage([
    { when: { request: 1 }, fault: { kind: 'stall', after: { inside: 'text' }, pings: false } },
  ])
  const first = await start()
  const cut = await ask(first.url)
  await cut.body?.getReader().read()
  await first.kill()
  const again = await (await ask((await start()).url)).text()
  expect(again).toContain('event: message_stop')
  expect(again.match(/event: message_start/g)).toHaveLength(1)
  expect(lab.requests).toHaveLength(2)
})
