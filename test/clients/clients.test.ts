/**
 * Real clients through the gateway: the places of the matrix that differ most, one fault each. All of them:
 * `pnpm clients`. They are fetched from the npm registry only where LASTGOOD_CLIENTS is set, because they are large; a
 * client that is not there is told as skipped, with the reason.
 */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { clients } from './clients.ts'
import { faults } from './faults.ts'
import { install, isInstalled } from './install.ts'
import { isDone, runJob } from './job.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const lastgood = fileURLToPath(new URL('../../packages/cli/dist/bin/lastgood.js', import.meta.url))
const isWanted = Boolean(process.env['LASTGOOD_CLIENTS'])
const telling = [
  '529',
  'reset before the headers',
  'silence after message_start',
  'polite end in text',
  'reset in the tool input',
  'reset after the tool call',
]

describe.each(clients)('$name behind the gateway', (client) => {
  test('does every step once, whatever fails, and does not notice', { timeout: 400_000 }, async (context) => {
    if (!isWanted && !isInstalled(client, root)) return context.skip('not installed; LASTGOOD_CLIENTS=1 fetches it')
    const installed = await install(client, root)
    if ('missing' in installed) return context.skip(installed.missing)
    const chosen = faults.filter(({ name }) => telling.includes(name))
    expect(chosen).toHaveLength(telling.length)
    for (const { name, fault } of chosen) {
      const done = await runJob({ client, bin: installed.bin, fault, lastgood, patienceMs: 60_000 })
      expect({ name, done: isDone(done), ...done }).toMatchObject({ name, done: true, isHit: true })
    }
  })
})
