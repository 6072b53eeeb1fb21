/** The token of the built dashboard: where it is written, and what other addresses and a gateway's port need besides. */
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startDashboard } from './support/dashboard-process.ts'
import { newFolder } from './support/folder.ts'
import { bearer, key, recorded } from './support/hostile-dashboard.ts'

describe('the token', () => {
  test('is new at each start, in a file that its user alone can read, and nowhere else; the file goes with the server', async () => {
    const home = newFolder()
    await recorded(home)
    const [first, second] = [await startDashboard([], { home }), await startDashboard([], { home })]
    expect(first.token).toMatch(/^[\w-]{43}$/)
    expect(first.token).not.toBe(second.token)
    const folder = join(home, '.local/state/lastgood/dashboard')
    const path = join(folder, `${first.port}.url`)
    expect(readFileSync(path, 'utf8')).toBe(`${first.origin}/#token=${first.token}\n`)
    expect([statSync(path).mode & 0o777, statSync(folder).mode & 0o777]).toEqual([0o600, 0o700])
    await first.ask(`/api/overview?token=${first.token}`, { headers: bearer(first.token) })
    await first.ask('/api/login', { method: 'POST', body: JSON.stringify({ token: first.token }) })
    await first.ask('/nothing', { headers: bearer('wrong') })
    first.child.kill('SIGTERM')
    expect(await first.ended).toBe(0)
    expect(readdirSync(folder)).toEqual([`${second.port}.url`])
    // Once, where it was asked for.
    expect(first.written.stdout).toBe(`${first.origin}/#token=${first.token}\n`)
    expect(first.written.stderr).not.toContain(first.token)
    expect(first.written.stderr).not.toMatch(/GET|POST|api/)
    const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
    for (const file of files) expect(readFileSync(join(file.parentPath, file.name), 'utf8')).not.toContain(first.token)
  })

  test('of one’s own has at least sixteen characters, and comes from a file or the environment', async () => {
    const own = 'a-token-of-my-own-choice'
    const { token, ask } = await startDashboard([], { env: { LASTGOOD_DASHBOARD_TOKEN: own } })
    expect(token).toBe(own)
    expect((await ask('/api/overview', { headers: bearer(own) })).status).toBe(200)
    await expect(startDashboard([], { env: { LASTGOOD_DASHBOARD_TOKEN: 'short' } })).rejects.toThrow('16 characters')
  })
})

describe('another address than loopback', () => {
  const away = ['--host', '0.0.0.0', '--allow-host', 'dash.example']

  test.each([
    [['--host', '0.0.0.0'], 'without a host name'],
    [away, 'without TLS and a token'],
    [[...away, '--tls-cert', 'none.pem'], '--tls-key is missing'],
  ])('%j is refused', async (argv, told) => {
    await expect(startDashboard(argv)).rejects.toThrow(told)
  })

  test('behind a proxy is called by its name, and its cookie goes by TLS alone', async () => {
    const { ask, token, written, port } = await startDashboard([...away, '--behind-proxy'])
    expect(written.stdout).toBe(`http://dash.example:${port}/#token=${token}\n`)
    const headers = { host: 'dash.example', origin: 'https://dash.example' }
    const login = await ask('/api/login', { method: 'POST', body: JSON.stringify({ token }), headers })
    expect(login.headers['set-cookie']).toEqual([expect.stringMatching(/; Secure$/)])
    const cookie = [login.headers['set-cookie'] ?? ''].flat()[0]?.split(';')[0] ?? ''
    const act = (changes: Record<string, string>) =>
      ask('/api/resume-all/stop', { method: 'POST', headers: { ...headers, cookie, ...changes } })
    expect((await act({})).status).toBe(200)
    expect((await act({ origin: 'https://evil.example' })).status).toBe(403)
    expect((await act({ host: 'other.example' })).status).toBe(403)
  })
})

describe('on the port of a gateway', () => {
  test('it wants its own token, whatever the gateway lets in, and leaves every other path to the gateway', async () => {
    const home = newFolder()
    await recorded(home)
    const gateway = await startDashboard(['--upstream', 'http://127.0.0.1:9'], { home, command: 'gateway' })
    const path = join(home, '.local/state/lastgood/dashboard', `${gateway.port}.url`)
    const address = readFileSync(path, 'utf8').trim()
    const [place, token = ''] = address.split('#token=')
    expect(place).toBe(`${gateway.origin}/dashboard/`)
    expect(gateway.written.stderr).toContain(`cat ${path}`)
    expect(gateway.written.stderr + gateway.written.stdout).not.toContain(token)
    const status = async (asked: string, headers: Record<string, string> = {}) =>
      (await gateway.ask(asked, { headers })).status
    expect(await status('/api/overview')).toBe(401)
    expect(await status('/api/overview', { 'x-api-key': key })).toBe(401)
    expect(await status('/api/overview', bearer(token))).toBe(200)
    expect(await status('/api/overview', { ...bearer(token), host: 'evil.com' })).toBe(403)
    expect(await status('', {})).toBe(308)
    expect(await status('/', {})).toBeOneOf([200, 503])
    expect(await status('/nothing')).toBe(404)
    expect(await status('ing')).toBeOneOf([502, 503])
    const login = await gateway.ask('/api/login', { method: 'POST', body: JSON.stringify({ token }) })
    expect(login.headers['set-cookie']).toEqual([expect.stringContaining('Path=/dashboard/api/')])
    gateway.child.kill('SIGTERM')
    expect(await gateway.ended).toBe(0)
  })

  test('it is not there with --no-dashboard, nor on other addresses unless it was asked for', async () => {
    const none = await startDashboard(['--upstream', 'http://127.0.0.1:9', '--no-dashboard'], { command: 'gateway' })
    expect((await none.ask('/api/overview')).status).toBeOneOf([502, 503])
    expect(none.written.stderr).not.toContain('/dashboard/')
    const away = [
      '--upstream',
      'http://127.0.0.1:9',
      '--host',
      '0.0.0.0',
      '--allow-host',
      'gw.example',
      '--behind-proxy',
    ]
    const quiet = await startDashboard(away, { command: 'gateway' })
    expect(quiet.written.stderr).not.toContain('/dashboard/')
    const asked = await startDashboard([...away, '--dashboard'], { command: 'gateway' })
    expect(asked.written.stderr).toContain('/dashboard/')
  })
})
