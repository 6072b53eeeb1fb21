/**
 * Real clients through the gateway, each with what it does not survive alone; all of the matrix: `pnpm clients`. They
 * come from the npm registry. One that cannot be had is skipped and told of: a registry that does not answer is no fault
 * of ours.
 */
import type { CutPoint } from '@lastgood/outage-lab'
import { beforeAll, describe, expect, test } from 'vitest'
import { binOf } from '../support/installed-client.ts'
import { clients } from './clients.ts'
import { installAll, isWanted, type Installed } from './install.ts'
import { isDone, runJob } from './job.ts'
import { runMatrix } from './matrix.ts'
import { kinds, planOf } from './plan.ts'
import { whatFails } from './report.ts'

const telling: Readonly<Record<string, readonly string[]>> = {
  'claude-code': ['529, three times', 'polite end after message_start, three times', '529, for 15 min'],
  'agent-sdk': ['polite end in thinking, three times', '529, for 15 min'],
  opencode: ['error event after the tool call', '529, for 15 min'],
  pi: ['silence in the tool input', '529, for 15 min'],
  'qwen-code': ['reset in text, three times', '529, for 15 min'],
}

/** Before anything has come, and inside an answer. */
const silentPlaces: readonly (CutPoint | 'before-headers')[] = ['before-headers', { inside: 'text' }]

let found: ReadonlyMap<string, Installed>
beforeAll(async () => {
  found = await installAll(clients.filter(isWanted))
}, 150_000)

describe.each(clients)('$name behind the gateway', (client) => {
  test('does every step once, where it would not alone', { timeout: 300_000 }, async (context) => {
    binOf(client, found.get(client.name), context)
    const wanted = telling[client.name] ?? []
    const plan = planOf({ clients: [client], kinds, sides: ['with lastgood'], fault: '' })
    const chosen = plan.filter((run) => wanted.includes(whatFails(run)))
    expect(chosen.map(whatFails)).toEqual(expect.arrayContaining([...wanted]))
    const { rows } = await runMatrix(chosen, { signal: context.signal, tell: () => {} })
    expect(rows).toHaveLength(wanted.length)
    for (const { became, ...row } of rows) {
      const done = became.is === 'run' ? { ...became.done, everyStepOnce: isDone(became.done) } : became
      expect({ ...row, ...done }).toMatchObject({ everyStepOnce: true, isHit: true })
    }
  })

  test(
    'goes on as if nothing were, after a silence of 14 minutes in which it heard what says nothing',
    { timeout: 300_000 },
    async (context) => {
      const bin = binOf(client, found.get(client.name), context)
      for (const after of silentPlaces) {
        const done = await runJob({
          client,
          bin,
          trouble: { kind: 'tries', tries: 1, fault: { kind: 'stall', after, pings: false, forMs: 7_000 } },
          // On a clock on which that is 14 minutes, and which the gateway does not take for a fault.
          gateway: { speed: 120, args: ['--stall', '1h'] },
          patienceMs: 60_000,
          signal: context.signal,
        })
        const expected = { everyStepOnce: true, isHit: true, requests: 4, refused: 0 }
        expect({ after, ...done, everyStepOnce: isDone(done) }).toMatchObject(expected)
      }
    },
  )
})
