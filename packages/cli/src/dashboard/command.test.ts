import { readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { text } from 'node:stream/consumers'
import type { Overview } from '@lastgood/dashboard'
import { describe, expect, onTestFinished, test } from 'vitest'
import { answered, ended, obliging, project, run, seed, sent, started, type Run } from '../../test/context.ts'

const fixture = (name: string) => fileURLToPath(new URL(`../../test/fixtures/${name}`, import.meta.url))

async function begun(running: Run): Promise<{ place: string; token: string }> {
  await expect.poll(() => running.stdout.text, { timeout: 5_000 }).toMatch(/\/#token=.*\n$/)
  const [place = '', token = ''] = running.stdout.text.trim().split('#token=')
  return { place, token }
}

async function stopped(running: Run): Promise<void> {
  running.stop('SIGINT')
  expect(await running).toMatchObject({ code: 0 })
}

describe('lastgood dashboard', () => {
  test('prints one address, serves until it is asked to stop, and leaves nothing behind', async () => {
    const { cwd, store } = project(obliging)
    await seed(store, 'fix-auth', [started(1), sent(), answered('Yes.'), ended(1)])
    const running = run(['dashboard', '--port', '0'], { cwd })
    const { place, token } = await begun(running)
    const path = join(cwd, '.local/state/lastgood/dashboard', `${new URL(place).port}.url`)
    expect(readFileSync(path, 'utf8')).toBe(running.stdout.text)
    const response = await fetch(`${place}api/overview`, { headers: { authorization: `Bearer ${token}` } })
    expect(((await response.json()) as Overview).sessions).toMatchObject([
      { sessionId: 'fix-auth', command: 'lastgood resume fix-auth "<message>"' },
    ])
    await stopped(running)
    expect(() => readFileSync(path)).toThrow('ENOENT')
    await expect(fetch(place)).rejects.toThrow()
  })

  test('ends at once while a page is open', async () => {
    const { cwd } = project()
    const running = run(['dashboard', '--port', '0'], { cwd })
    const { place, token } = await begun(running)
    const events = await fetch(`${place}api/events`, { headers: { authorization: `Bearer ${token}` } })
    const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader.read()).value).toContain('event: overview')
    const startedAt = performance.now()
    const rest = (async () => {
      while (!(await reader.read()).done) continue
    })()
    await stopped(running)
    await rest
    expect(performance.now() - startedAt).toBeLessThan(3_000)
  })

  test('takes commands of the page to the store that it was given', async () => {
    const { cwd, store } = project()
    await seed(store, 'fix-auth', [started(1), sent()])
    const running = run(['dashboard', '--port', '0', '--store', 'state'], { cwd })
    const { place, token } = await begun(running)
    const response = await fetch(`${place}api/overview`, { headers: { authorization: `Bearer ${token}` } })
    expect(((await response.json()) as Overview).sessions).toMatchObject([
      { command: 'lastgood resume fix-auth --store state' },
    ])
    await stopped(running)
  })

  test('shows sessions although the configuration cannot be loaded, and asks no status page then', async () => {
    const { cwd } = project()
    writeFileSync(join(cwd, 'lastgood.config.mjs'), 'throw new Error()')
    const running = run(['dashboard', '--port', '0', '--store', 'state'], { cwd, env: { LASTGOOD_STATUS_URL: '' } })
    const { place, token } = await begun(running)
    const response = await fetch(`${place}api/overview`, { headers: { authorization: `Bearer ${token}` } })
    const off = { says: 'not-asked', text: 'not asked (the configuration file could not be loaded)' }
    expect((await response.json()) as Overview).toMatchObject({ statusPage: off, sessions: [] })
    await stopped(running)
  })

  test('does not start with a LASTGOOD_STATUS_URL that is no address, unless no page is asked', async () => {
    const { cwd } = project()
    writeFileSync(join(cwd, 'lastgood.config.mjs'), 'throw new Error()')
    const argv = ['dashboard', '--port', '0', '--store', 'state']
    const env = { LASTGOOD_STATUS_URL: 'yes' }
    const refused = run(argv, { cwd, env })
    onTestFinished(() => refused.stop('SIGINT'))
    await expect.poll(() => refused.stderr.text).toContain('LASTGOOD_STATUS_URL is neither an address nor off')
    expect(await refused).toMatchObject({ code: 2, stdout: '' })
    const running = run([...argv, '--no-page'], { cwd, env })
    const { place, token } = await begun(running)
    const response = await fetch(`${place}api/overview`, { headers: { authorization: `Bearer ${token}` } })
    expect((await response.json()) as Overview).toMatchObject({
      store: { trouble: null },
      statusPage: { text: 'not asked (--no-page)' },
    })
    await stopped(running)
  })

  test('with a certificate is HTTPS, and its cookie goes no other way', async () => {
    const { cwd } = project()
    const tls = ['--tls-cert', fixture('tls-cert.pem'), '--tls-key', fixture('tls-key.pem')]
    const running = run(['dashboard', '--port', '0', ...tls], { cwd })
    const { place, token } = await begun(running)
    expect(place).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/$/)
    const asking = request(`${place}api/login`, {
      method: 'POST',
      ca: readFileSync(fixture('tls-cert.pem')),
      rejectUnauthorized: false,
    })
    asking.end(JSON.stringify({ token }))
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      asking.once('response', resolve).once('error', reject)
    })
    expect(await text(response)).toBe('')
    expect(response.headers['set-cookie']).toEqual([expect.stringMatching(/; Secure$/)])
    await stopped(running)
  })

  test('on a port that is taken says so, and which one to try', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void other.close())
    const { port } = other.address() as { port: number }
    const { cwd } = project()
    const { code, stderr } = await run(['dashboard', '--port', String(port)], { cwd })
    expect(code).toBe(2)
    expect(stderr).toContain(`port ${port} of 127.0.0.1 is taken by another process`)
    expect(stderr).toContain(`--port ${port + 1}`)
  })

  test.each([
    [['--port', 'http'], 'a port is a number'],
    [['--token-file', 'none'], '--token-file none cannot be read'],
    [['--host', '0.0.0.0'], 'without a host name'],
    [['--store', 'ftp://x'], 'a store of an unknown kind'],
  ])('%j is told as a mistake', async (argv, told) => {
    const { cwd } = project()
    const { code, stderr } = await run(['dashboard', ...argv, ...(argv[0] === '--port' ? [] : ['--port', '0'])], {
      cwd,
    })
    expect(code).toBe(2)
    expect(stderr).toContain(told)
  })
})
