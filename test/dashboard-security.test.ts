/** The built dashboard as a real process: whom it admits, what it serves to whom, and how it takes bad requests. */
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import type { Asked } from './support/dashboard-process.ts'
import { bearer, json, served, words } from './support/hostile-dashboard.ts'

describe('who asks for data', () => {
  test('is let in by the token or by the cookie that it was swapped for, and by nothing else', async () => {
    const { ask, token, signIn, port } = await served()
    const status = async (headers: Record<string, string>, path = '/api/overview') =>
      (await ask(path, { headers })).status
    expect(await status({})).toBe(401)
    expect(await status(bearer(token))).toBe(200)
    expect(await status(bearer(`${token}x`))).toBe(401)
    expect(await status(bearer(token.slice(0, -1)))).toBe(401)
    expect(await status({ authorization: token })).toBe(401)
    expect(await status({}, `/api/overview?token=${token}`)).toBe(401)
    const cookie = await signIn()
    expect(await status({ cookie })).toBe(200)
    expect(await status({ cookie: `a=b; ${cookie}; c=d` })).toBe(200)
    expect(await status({ cookie: `lastgood-${port}=${token}` })).toBe(401)
    expect(await status({ cookie: cookie.replace(String(port), String(port + 1)) })).toBe(401)
  })

  test('gets a cookie that no script reads, no other site sends, and no other dashboard takes', async () => {
    const { ask, token, port } = await served()
    const login = (body: string, headers = {}) => ask('/api/login', { method: 'POST', body, headers })
    const { status, headers, body } = await login(JSON.stringify({ token }), json)
    expect({ status, body }).toEqual({ status: 204, body: '' })
    expect(headers['set-cookie']).toEqual([
      expect.stringMatching(new RegExp(`^lastgood-${port}=[\\w-]{43}; HttpOnly; SameSite=Strict; Path=/api/$`)),
    ])
    expect(JSON.stringify(headers)).not.toContain(token)
    for (const wrong of ['', '{}', 'token', '{"token":1}', '[]', 'null', JSON.stringify({ token: 'wrong' })]) {
      const refused = await login(wrong)
      expect([400, 401]).toContain(refused.status)
      expect(refused.headers['set-cookie']).toBeUndefined()
    }
  })

  test('may guess ten times a minute, and then nobody may; who is signed in is not concerned', async () => {
    const { ask, token, signIn } = await served()
    const cookie = await signIn()
    const guess = (said: string) => ask('/api/login', { method: 'POST', body: JSON.stringify({ token: said }) })
    for (let i = 0; i < 10; i++) expect((await guess(`guess ${i}`)).status).toBe(401)
    const late = await guess(token)
    expect({ status: late.status, retry: late.headers['retry-after'] }).toEqual({ status: 429, retry: '60' })
    expect((await ask('/api/overview', { headers: bearer(token) })).status).toBe(429)
    expect((await ask('/api/overview', { headers: { cookie } })).status).toBe(200)
  })
})

describe('S16: a page of another site', () => {
  test('that was rebound to this address is refused, whatever it knows', async () => {
    const { ask, token, port, signIn } = await served()
    const cookie = await signIn()
    for (const host of [
      `evil.com:${port}`,
      'evil.com',
      `127.0.0.1.evil.com:${port}`,
      `localhost.evil.com`,
      '0.0.0.0',
      '',
    ]) {
      for (const headers of [bearer(token), { cookie }]) {
        expect((await ask('/api/overview', { headers: { ...headers, host } })).status).toBe(host === '' ? 400 : 403)
      }
      expect((await ask('/', { headers: { host } })).status).toBe(host === '' ? 400 : 403)
    }
    for (const host of [`localhost:${port}`, `[::1]:${port}`, `LOCALHOST:${port}`]) {
      expect((await ask('/api/overview', { headers: { ...bearer(token), host } })).status).toBe(200)
    }
  })

  const post = { method: 'POST', body: JSON.stringify({ reason: 'because' }) }
  const act = '/api/resume-all/stop'

  test('cannot post, with the token or with the cookie', async () => {
    const { ask, token, port, origin, signIn } = await served()
    const cookie = await signIn()
    const status = async (headers: Record<string, string>, asked: Asked = post) =>
      (await ask(act, { ...asked, headers: { ...json, ...headers } })).status
    const elsewhere = ['https://evil.com', 'null', `http://127.0.0.1:${port + 1}`, `https://127.0.0.1:${port}.evil.com`]
    for (const foreign of [...elsewhere, `http://localhost:${port}`, 'file://', `ftp://127.0.0.1:${port}`, '']) {
      expect(await status({ ...bearer(token), origin: foreign })).toBe(403)
      expect(await status({ cookie, origin: foreign })).toBe(403)
    }
    expect(await status({ cookie, origin })).toBe(200)
    expect(await status({ cookie, 'sec-fetch-site': 'same-origin' })).toBe(200)
    expect(await status({ cookie, origin, 'sec-fetch-site': 'cross-site' })).toBe(403)
    expect(await status({ cookie, origin, 'sec-fetch-site': 'same-site' })).toBe(403)
    expect(await status({ cookie, 'sec-fetch-site': 'none' })).toBe(403)
    expect(await status({ cookie })).toBe(403)
    expect(await status({ ...bearer(token), 'sec-fetch-site': 'cross-site' })).toBe(403)
  })

  test('cannot read with the cookie either, nor sign in', async () => {
    const { ask, token, signIn } = await served()
    const cookie = await signIn()
    for (const site of ['cross-site', 'same-site']) {
      expect((await ask('/api/overview', { headers: { cookie, 'sec-fetch-site': site } })).status).toBe(403)
      expect((await ask('/api/events', { headers: { cookie, 'sec-fetch-site': site } })).status).toBe(403)
    }
    const signing = { method: 'POST', body: JSON.stringify({ token }), headers: { origin: 'https://evil.com' } }
    expect((await ask('/api/login', signing)).status).toBe(403)
  })

  test('gets no word of CORS, whatever it asks for', async () => {
    const { ask } = await served()
    const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' }
    const { status, headers } = await ask('/api/overview', {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.com', ...preflight },
    })
    expect(status).toBe(403)
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  })
})

test('a program that has the token posts without a body and without a content-type', async () => {
  const { ask, token } = await served()
  expect((await ask('/api/resume-all/stop', { method: 'POST', headers: bearer(token) })).status).toBe(200)
  const { status, body } = await ask('/api/sessions/fix-auth/suspend', { method: 'POST', headers: bearer(token) })
  expect({ status, body: JSON.parse(body) }).toMatchObject({ status: 400, body: { error: { code: 'bad-option' } } })
})

test('every answer has the headers that keep the page to itself', async () => {
  const { ask, token } = await served()
  const paths = ['/', '/api/overview', '/api/nothing', '/nothing', '/assets/nothing.js', '/api/sessions/..']
  for (const path of paths) {
    for (const headers of [{}, bearer(token), { host: 'evil.com' }]) {
      const answer = await ask(path, { headers })
      expect(answer.headers).toMatchObject({
        'content-security-policy': expect.stringMatching(/^default-src 'self';.*frame-ancestors 'none'/),
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      })
      expect(answer.headers['content-security-policy']).not.toContain('unsafe')
    }
  }
  expect((await ask('/api/overview', { headers: bearer(token) })).headers).toMatchObject({
    'cache-control': 'no-store',
  })
})

test('a viewer with the cookie gets the stream, all of it first', async () => {
  const { port, signIn } = await served()
  const cookie = await signIn()
  const socket = connect(port, '127.0.0.1')
  socket.write(`GET /api/events HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncookie: ${cookie}\r\n\r\n`)
  const seen = await new Promise<string>((resolve) => {
    let all = ''
    socket.on('data', (chunk) => {
      all += chunk.toString()
      if (all.includes('\n\n', all.indexOf('event: overview'))) resolve(all)
    })
  })
  socket.destroy()
  expect(seen).toMatch(/^HTTP\/1\.1 200 OK/)
  expect(seen).toContain('content-type: text/event-stream')
  expect(seen).toContain('"sessionId":"fix-auth"')
})

describe('content', () => {
  test('is not given until it is asked for, and then without keys', async () => {
    const { ask, token } = await served()
    const get = async (path: string) => (await ask(path, { headers: bearer(token) })).body
    for (const path of [
      '/api/overview',
      '/api/outages',
      '/api/sessions/fix-auth',
      '/api/sessions/fix-auth/entries/2',
    ]) {
      const body = await get(path)
      expect(body).not.toContain('api03')
    }
    expect(await get('/api/sessions/fix-auth')).not.toContain('"message":"<img')
    expect(await get('/api/sessions/fix-auth/entries/2')).not.toContain(words)
    for (const path of ['/api/sessions/fix-auth?content=1', '/api/sessions/fix-auth/entries/2?content=1']) {
      const body = await get(path)
      expect(body).toContain(words)
      expect(body).not.toContain('api03')
    }
  })

  test('that is hostile is text in a JSON document, and obeyed by nobody', async () => {
    const { ask, token } = await served()
    for (const path of [
      '/api/overview',
      '/api/sessions/fix-auth?content=1',
      '/api/sessions/fix-auth/entries/2?content=1',
    ]) {
      const { headers, body } = await ask(path, { headers: bearer(token) })
      expect(headers['content-type']).toBe('application/json; charset=utf-8')
      // oxlint-disable-next-line no-control-regex
      expect(body).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/)
      expect(() => JSON.parse(body)).not.toThrow()
    }
  })
})

describe('a request that nobody should send', () => {
  test('is answered in one form, and the server goes on', async () => {
    const { ask, token, port } = await served()
    const ids = [
      '..%2f..%2fetc%2fpasswd',
      '%2e%2e',
      '%00',
      '%ff',
      'a%0d%0ab',
      'x'.repeat(3000),
      '%E2%80%AE',
      'last',
      '__proto__',
      '*',
    ]
    for (const id of ids) {
      for (const [path, method] of [
        [`/api/sessions/${id}`, 'GET'],
        [`/api/sessions/${id}/entries/1`, 'GET'],
        [`/api/sessions/${id}/suspend`, 'POST'],
      ] as const) {
        const { status, body } = await ask(path, {
          method,
          headers: bearer(token),
          ...(method === 'POST' && { body: '{"reason":"x"}' }),
        })
        expect([400, 404]).toContain(status)
        expect(JSON.parse(body)).toMatchObject({ error: { code: expect.any(String), message: expect.any(String) } })
      }
    }
    for (const path of [
      '/../../etc/passwd',
      '/assets/..%2f..%2f..%2fpackage.json',
      '/index.html%00',
      '//evil.com/',
      '/constructor',
    ]) {
      expect((await ask(path)).status).toBeOneOf([301, 308, 404])
    }
    expect((await ask('/api/overview', { method: 'HEAD', headers: bearer(token) })).status).toBe(200)
    expect((await ask('/api/events', { method: 'HEAD', headers: bearer(token) })).status).toBe(200)
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) {
      expect((await ask('/api/overview', { method, headers: bearer(token) })).status).toBe(405)
      expect((await ask('/', { method })).status).toBe(405)
    }
    expect((await ask('/api/nothing', { headers: bearer(token) })).status).toBe(404)
    expect((await ask('/api/nothing')).status).toBe(401)
    // However it is written, the same address is behind the same door.
    for (const path of [
      '/%61pi/overview',
      '/api/%6fverview',
      '/./api/overview',
      '/assets/../api/overview',
      '/api/overview?x=1',
    ]) {
      expect((await ask(path)).status).toBe(401)
    }
    for (const path of ['//api/overview', '/API/overview', '/api%2foverview', '/api\\overview']) {
      expect((await ask(path)).status).toBeOneOf([400, 401, 404])
    }
    const raw = connect(port, '127.0.0.1')
    raw.write('hello?\r\n\r\n')
    expect(await text(raw)).toMatch(/^HTTP\/1\.1 400 /)
    expect((await ask('/api/overview', { headers: bearer(token) })).status).toBe(200)
  })

  test('has a body that is too large, and is not read to its end', async () => {
    const { ask, token } = await served()
    const body = JSON.stringify({ reason: 'x'.repeat(20_000) })
    for (const headers of [bearer(token), { ...bearer(token), 'transfer-encoding': 'chunked' }]) {
      const answer = await ask('/api/sessions/fix-auth/suspend', { method: 'POST', body, headers })
      expect({ status: answer.status, body: JSON.parse(answer.body) }).toMatchObject({
        status: 413,
        body: { error: { code: 'too-large' } },
      })
    }
    expect((await ask('/api/login', { method: 'POST', body })).status).toBe(413)
  })

  test.each([
    ['no reason', {}],
    ['an empty one', { reason: ' ' }],
    ['one that is too long', { reason: 'x'.repeat(301) }],
    ['one of several lines', { reason: 'one\ntwo' }],
    ['one with a control', { reason: 'one\u001b[2J' }],
    ['one that reorders the line', { reason: 'one\u202etwo' }],
    ['one that is no text', { reason: 1 }],
    ['something else besides', { reason: 'x', command: 'rm' }],
    ['another action than its address', { reason: 'x', action: 'resume' }],
  ])('is an action with %s', async (_name, body) => {
    const { ask, token } = await served()
    const answer = await ask('/api/sessions/fix-auth/suspend', {
      method: 'POST',
      body: JSON.stringify(body),
      headers: bearer(token),
    })
    expect({ status: answer.status, body: JSON.parse(answer.body) }).toMatchObject({
      status: 400,
      body: { error: { code: 'bad-option' } },
    })
  })
})

test('--read-only refuses every action, and shows everything', async () => {
  const { ask, token } = await served(['--read-only'])
  for (const path of [
    '/api/sessions/fix-auth/suspend',
    '/api/sessions/fix-auth/resume',
    '/api/resume-all',
    '/api/resume-all/stop',
  ]) {
    const { status, body } = await ask(path, { method: 'POST', body: '{"reason":"x"}', headers: bearer(token) })
    expect({ status, body: JSON.parse(body) }).toMatchObject({ status: 403, body: { error: { code: 'read-only' } } })
  }
  const { body } = await ask('/api/overview', { headers: bearer(token) })
  expect(JSON.parse(body)).toMatchObject({ readOnly: true, sessions: [{ sessionId: 'fix-auth' }] })
})
