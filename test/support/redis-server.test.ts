import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { beforeEach, describe, expect, it } from 'vitest'
import { newFolder } from './folder.ts'
import { findRedisServer, startRedis } from './redis-server.ts'
import { startNode } from './running-process.ts'

let folder: string

beforeEach(() => {
  folder = newFolder()
})

function fakeServer(file: string, banner: string): string {
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, `#!/bin/sh\necho '${banner}'\n`)
  chmodSync(file, 0o755)
  return file
}

async function fakeDownload(into: string): Promise<void> {
  fakeServer(join(into, 'usr/bin/redis-server'), 'Redis server v=7.4.1 sha=0')
}

async function noDownload(): Promise<void> {
  throw new Error('there is no network')
}

describe('findRedisServer', () => {
  it('takes the binary that REDIS_SERVER_BIN names, before PATH', async () => {
    const named = fakeServer(join(folder, 'mine'), 'Redis server v=7.2.0 sha=0')
    fakeServer(join(folder, 'bin/redis-server'), 'Redis server v=7.0.0 sha=0')
    const env = { REDIS_SERVER_BIN: named, PATH: join(folder, 'bin') }
    expect(await findRedisServer({ env, download: noDownload })).toMatchObject({
      command: named,
      version: '7.2.0',
      from: 'REDIS_SERVER_BIN',
    })
  })

  it('refuses a REDIS_SERVER_BIN that does not run, instead of silently taking another one', async () => {
    const env = { REDIS_SERVER_BIN: join(folder, 'nothing') }
    await expect(findRedisServer({ env, download: fakeDownload })).rejects.toThrow(/REDIS_SERVER_BIN cannot be used/)
  })

  it.each([
    ['redis-server', 'Redis server v=6.2.0 sha=0', '6.2.0'],
    ['valkey-server', 'Valkey server v=8.0.1 sha=0', '8.0.1'],
  ])('takes %s from PATH', async (name, banner, version) => {
    const command = fakeServer(join(folder, 'bin', name), banner)
    const env = { PATH: `${join(folder, 'empty')}:${join(folder, 'bin')}` }
    expect(await findRedisServer({ env, download: noDownload })).toMatchObject({ command, version, from: 'PATH' })
  })

  it('passes over a server on PATH that is too old', async () => {
    fakeServer(join(folder, 'bin/redis-server'), 'Redis server v=6.0.16 sha=0')
    const env = { PATH: join(folder, 'bin'), XDG_CACHE_HOME: folder }
    expect(await findRedisServer({ env, download: fakeDownload })).toMatchObject({ version: '7.4.1', from: 'download' })
  })

  it('downloads once, then takes it from the cache', async () => {
    const env = { PATH: '', HOME: folder }
    const first = await findRedisServer({ env, download: fakeDownload })
    expect(first).toMatchObject({
      command: join(folder, '.cache/lastgood/redis-server-7.4.1/usr/bin/redis-server'),
      from: 'download',
    })
    const second = await findRedisServer({ env, download: noDownload })
    expect(second).toEqual({ ...first, from: 'cache' })
  })

  it('lets any number of processes download at once', async () => {
    const env = { PATH: '', XDG_CACHE_HOME: folder }
    const all = await Promise.all(Array.from({ length: 8 }, () => findRedisServer({ env, download: fakeDownload })))
    expect(new Set(all.map((server) => server.command)).size).toBe(1)
    expect(readdirSync(join(folder, 'lastgood'))).toEqual(['redis-server-7.4.1'])
  })

  it('replaces a cached copy that no longer runs', async () => {
    mkdirSync(join(folder, 'lastgood/redis-server-7.4.1/usr/bin'), { recursive: true })
    const env = { PATH: '', XDG_CACHE_HOME: folder }
    expect(await findRedisServer({ env, download: fakeDownload })).toMatchObject({ from: 'download' })
    expect(await findRedisServer({ env, download: noDownload })).toMatchObject({ from: 'cache' })
  })

  it('caches in the temporary folder where the home cannot be written to', async () => {
    const env = { PATH: '', HOME: '/dev/null', TMPDIR: folder }
    const found = await findRedisServer({ env, download: fakeDownload })
    expect(found.command.startsWith(join(folder, 'lastgood-'))).toBe(true)
  })

  it('says what was tried and how to install one', async () => {
    const old = fakeServer(join(folder, 'bin/redis-server'), 'Redis server v=5.0.3 sha=0')
    const env = { PATH: join(folder, 'bin'), XDG_CACHE_HOME: folder }
    const error = await findRedisServer({ env, download: noDownload }).catch((reason: unknown) => String(reason))
    expect(error).toContain(`${old} is 5.0.3, too old`)
    expect(error).toContain('there is no network')
    expect(error).toContain('apt-get install redis-server')
    expect(error).toContain('brew install redis')
    expect(error).toContain('REDIS_SERVER_BIN=')
  })
})

describe('startRedis', () => {
  it('keeps what it acknowledged over kill() and restart(), and stop() leaves no process and no folder', async () => {
    const redis = await startRedis()
    const client = new Redis(redis.url, { lazyConnect: true, retryStrategy: () => 20 })
    client.on('error', () => {})
    try {
      await client.set('turn', '7')
      const before = redis.pid
      await redis.kill()
      expect(alive(before)).toBe(false)
      await redis.restart()
      expect(redis.pid).not.toBe(before)
      expect(await client.get('turn')).toBe('7')
    } finally {
      client.disconnect()
      await redis.stop()
    }
    expect(alive(redis.pid)).toBe(false)
    expect(existsSync(redis.dir)).toBe(false)
    await redis.stop()
  })

  it('stops a server that was paused', async () => {
    const redis = await startRedis()
    await redis.kill('SIGSTOP')
    await redis.stop()
    expect(alive(redis.pid)).toBe(false)
  })

  it('keeps a folder that was given, and hands further arguments on', async () => {
    const redis = await startRedis({ dir: folder, appendfsync: 'everysec', args: ['--maxmemory-policy', 'noeviction'] })
    const client = new Redis(redis.url)
    try {
      expect(await client.config('GET', 'appendfsync')).toEqual(['appendfsync', 'everysec'])
      expect(await client.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction'])
    } finally {
      client.disconnect()
      await redis.stop()
    }
    expect(existsSync(join(folder, 'appendonlydir'))).toBe(true)
  })

  it('says why a server did not start', async () => {
    await expect(startRedis({ args: ['--appendfsync', 'sometimes'] })).rejects.toThrow(/did not start:[^]*sometimes/)
  })

  it('leaves no server behind when its own process is killed', async () => {
    // Compiled, because not every supported Node runs TypeScript.
    const files = ['redis-server.ts', 'find-redis-server.ts'].map((file) => join(import.meta.dirname, file))
    const root = join(import.meta.dirname, '../..')
    const options = ['--ignoreConfig', '--module', 'nodenext', '--rewriteRelativeImportExtensions', '--noCheck']
    await promisify(execFile)(join(root, 'node_modules/.bin/tsc'), [...options, '--outDir', folder, ...files])
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    writeFileSync(
      join(folder, 'owner.js'),
      `import { startRedis } from './redis-server.js'
      const { pid, dir } = await startRedis()
      console.log(JSON.stringify({ pid, dir }))
      setInterval(() => {}, 1000)`,
    )

    const owner = startNode(['owner.js'], { cwd: folder })
    const { pid, dir } = JSON.parse(await owner.firstLine()) as { pid: number; dir: string }
    expect(alive(pid)).toBe(true)
    void owner.kill()
    await expect.poll(() => alive(pid) || existsSync(dir), { timeout: 5000 }).toBe(false)
  })
})

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
