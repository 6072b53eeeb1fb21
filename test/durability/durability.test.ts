/** The small edition of `pnpm durability`: one kill of each kind, and that losses and broken promises are seen. */
import { entriesAfter, head, owner } from '@lastgood/core/testing'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { expect, inject, onTestFinished, test } from 'vitest'
import { brokenPromises, row } from './campaign.ts'
import { missing, playRound } from './round.ts'
import { type Setting, settings, type SettingName, unavailable } from './settings.ts'

const settingOf = (name: SettingName) => settings.find((one) => one.name === name) as Setting
const soonMs = 400

test.each(['always', 'fail-over-wait'] as const)('P1: %s loses nothing that it acknowledged', async (name) => {
  const round = await playRound(settingOf(name), 1, soonMs)
  expect(round).toMatchObject({ lost: 0, corrupt: 0 })
  expect(round.acknowledged).toBeGreaterThan(0)
})

test('without a file everything is lost, and counted', async () => {
  const { acknowledged, lost } = await playRound(settingOf('no-file'), 1, soonMs)
  expect(lost).toBe(acknowledged)
  expect(lost).toBeGreaterThan(0)
})

test('what is missing is counted by session, damage besides', async () => {
  const server: string = inject('redisUrl')
  const url = `${server}/11`
  const client = new Redis(url)
  onTestFinished(() => client.disconnect())
  await client.flushdb()
  const store = redisStore(client)
  for (const id of ['short', 'damaged']) {
    const lease = await store.acquire(id, owner(id), 60_000)
    if (lease.kind === 'busy') throw new Error('busy')
    await store.append(lease, 0, entriesAfter(0, 3, lease.fence), head(id, 3))
  }
  await client.ltrim('lastgood:{damaged}:journal', 0, 0)
  const acknowledged = new Map([
    ['short', 5],
    ['damaged', 3],
    ['gone', 4],
  ])
  expect(await missing(url, acknowledged)).toEqual({ acknowledged: 12, lost: 2 + 2 + 4, corrupt: 1 })
})

test('a promise is broken by a loss of a setting that keeps all, not by one of the others', () => {
  const campaign = (lost: number) => ({
    redis: '7.0.15',
    results: settings.map((setting) => ({ setting, rounds: [{ acknowledged: 9, lost, corrupt: 0 }] })),
  })
  expect(brokenPromises(campaign(0))).toEqual([])
  expect(brokenPromises(campaign(2))).toEqual([
    'appendfsync always lost 2 acknowledged entries',
    'appendfsync always, a replica, WAIT 1 lost 2 acknowledged entries',
    'appendfsync everysec, WAITAOF 1 0 lost 2 acknowledged entries',
  ])
})

test('a server that has no WAITAOF is not asked for it, and the table says so', () => {
  const setting = settingOf('waitaof')
  const reason = unavailable(setting, '7.0.15') ?? ''
  expect(reason).toContain('7.0.15 has no WAITAOF')
  expect([unavailable(setting, '7.2.0'), unavailable(setting, '8.0.1')]).toEqual([undefined, undefined])
  expect(settings.filter((one) => unavailable(one, '6.2.0') !== undefined)).toEqual([setting])
  expect(row({ setting, rounds: [], unavailable: reason }).slice(1, 3)).toEqual([reason, '0'])
})
