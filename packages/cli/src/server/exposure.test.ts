import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { newFolder, run } from '../../test/context.ts'
import { isLoopback } from './exposure.ts'

describe('lastgood gateway --host 0.0.0.0', () => {
  const away = ['--host', '0.0.0.0', '--allow-host', 'gateway.example']

  test.each([
    [['--host', '0.0.0.0'], 'lets other machines in, without a host name'],
    [away, 'lets other machines in, without TLS and a token'],
    [[...away, '--token-file', 'token'], 'lets other machines in, without TLS'],
    [['--allow-host', 'https://gateway.example'], '--allow-host https://gateway.example is not a host name'],
    [
      ['--allow-host', 'gateway.example', 'gateway.example:4141'],
      '--allow-host gateway.example:4141 is not a host name',
    ],
    [['--tls-cert', 'cert.pem'], '--tls-key is missing'],
    [['--tls-cert', 'none.pem', '--tls-key', 'none.pem'], '--tls-cert none.pem cannot be read (ENOENT)'],
    [['--tls-cert', 'token', '--tls-key', 'token'], '--tls-cert and --tls-key cannot be used'],
    [['--token-file', 'empty'], '--token-file empty holds no token'],
    [['--token-file', 'short'], 'token must have at least 16 characters'],
  ])('with %j is told what is missing', async (argv, told) => {
    const cwd = newFolder()
    writeFileSync(join(cwd, 'token'), 'a-token-of-enough-letters\n')
    writeFileSync(join(cwd, 'short'), 'secret\n')
    writeFileSync(join(cwd, 'empty'), '\n')
    const { code, stderr } = await run(['gateway', '--port', '0', '--store', `file:${cwd}/state`, ...argv], { cwd })
    expect(code).toBe(2)
    expect(stderr).toContain(told)
    expect(stderr).not.toContain('secret')
  })

  test('behind a proxy is served without TLS of its own', async () => {
    const cwd = newFolder()
    const gateway = run(['gateway', '--port', '0', ...away, '--behind-proxy', '--store', `file:${cwd}/state`], { cwd })
    await expect.poll(() => gateway.stdout.text).toMatch(/^http:\/\/0\.0\.0\.0:\d+\n$/)
    gateway.stop('SIGTERM')
    expect((await gateway).code).toBe(0)
  })
})

test.each([
  ['127.0.0.1', true],
  ['localhost', true],
  ['::1', true],
  [new URL('http://[::1]:4141').hostname, true],
  ['0.0.0.0', false],
  ['[::]', false],
])('%s is this machine alone: %s', (host, is) => expect(isLoopback(host)).toBe(is))
