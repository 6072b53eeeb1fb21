import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { expect, inject, onTestFinished, test } from 'vitest'
import { newFolder } from './support/folder.ts'
import { startNode } from './support/running-process.ts'

const bin = join(import.meta.dirname, '../packages/cli/dist/bin/lastgood.js')

test('the demo on Redis: no turn lost, no tool run twice, and the journal is there (P1, P2)', async () => {
  const folder = newFolder()
  const store = inject('redisUrl')
  const { code, stdout } = await startNode([bin, 'demo', '--fast', '--json', '--folder', folder, '--store', store])
    .ended
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
