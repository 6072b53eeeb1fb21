import { spawn } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { expect, inject, onTestFinished, test } from 'vitest'
import { newFolder } from './support/folder.ts'

const bin = join(import.meta.dirname, '../packages/cli/dist/bin/lastgood.js')

test('the demo on Redis: no turn lost, no tool run twice, and the journal is there (P1, P2)', async () => {
  const folder = newFolder()
  const store = inject('redisUrl')
  const { code, stdout } = await run('demo', '--fast', '--json', '--folder', folder, '--store', store)
  const verdict = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>
  expect({ code, failed: verdict['failed'] }).toEqual({ code: 0, failed: [] })
  expect(verdict).toMatchObject({ ok: true, turnsLost: 0, toolsRunTwice: 0, resumedFromTurn: 1, faultsSurvived: 6 })
  expect(verdict).toMatchObject({ turnsByOther: 1, turnsTakenBack: 1, requestsRefused: 1, requestsMended: 1 })
  expect(readdirSync(folder).sort()).toEqual(['effects.jsonl', 'lastgood.config.mjs', 'repository'])
  expect(readFileSync(join(folder, 'repository/migrations.log'), 'utf8')).toBe(
    '0001 create-posts\n0002 rewrite-slugs\n',
  )

  const client = new Redis(store)
  onTestFinished(() => client.disconnect())
  const summary = await redisStore(client).summary(String(verdict['sessionId']))
  expect(summary?.head).toMatchObject({ status: 'idle', turn: 2, lastGoodTurn: 2, agent: 'coder' })
  await redisStore(client).remove(String(verdict['sessionId']))
})

function run(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
    child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}
