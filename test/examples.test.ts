// Every example runs to its end, on its own, against the outage lab: no key, no network, no input. Those that need a
// Redis server find it at REDIS_URL.

import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, inject, it } from 'vitest'

const folder = join(import.meta.dirname, '../examples')
const examples = existsSync(folder)
  ? readdirSync(folder).filter((name) => existsSync(join(folder, name, 'package.json')))
  : []

function start(name: string, REDIS_URL: string) {
  const env = { ...process.env, ANTHROPIC_API_KEY: '', ANTHROPIC_BASE_URL: '', REDIS_URL }
  const options = { cwd: join(folder, name), env, timeout: 100_000 }
  const running = promisify(execFile)('npm', ['run', '--silent', 'start'], options)
  running.child.stdin?.end()
  return running
}

it('every example says by its start script how it is run', () => {
  const silent = examples.filter((name) => {
    const manifest = JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')) as {
      scripts?: { start?: string }
    }
    return manifest.scripts?.start === undefined
  })
  expect(silent).toEqual([])
})

it.each(examples)('examples/%s runs', { timeout: 120_000 }, async (name) => {
  await expect(start(name, inject('redisUrl'))).resolves.toBeDefined()
})

it('examples/two-hosts without REDIS_URL fails, and says what it needs', async () => {
  await expect(start('two-hosts', '')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/two-hosts: .*REDIS_URL is not set\. Start it with: REDIS_URL=redis:/),
  })
})
