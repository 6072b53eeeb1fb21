/**
 * Real clients through the gateway, each with what it does not survive alone; all of the matrix: `pnpm clients`. They are
 * large, and come from the npm registry: only in CI, or with LASTGOOD_CLIENTS=1 (0: nowhere), or where they are there
 * already. One that cannot be had is skipped and told of: a registry that does not answer is no fault of ours.
 */
import { describe, expect, test } from 'vitest'
import { clients } from './clients.ts'
import { isInstalled } from './install.ts'
import { isDone } from './job.ts'
import { runMatrix } from './matrix.ts'
import { kinds, planOf } from './plan.ts'
import { whatFails } from './report.ts'

const { CI, LASTGOOD_CLIENTS: asked = CI ? '1' : '' } = process.env
const isWanted = asked !== '' && asked !== '0'

const telling: Readonly<Record<string, readonly string[]>> = {
  'claude-code': ['529, three times', 'reset in the tool input, three times', '529, for 15 min'],
  'agent-sdk': ['529, three times', 'reset in the tool input, three times'],
  opencode: ['polite end in the tool input', 'reset after the tool call', '500, for 15 min'],
  pi: ['polite end in text', 'polite end in the tool input', '529, for 15 min'],
  'qwen-code': ['reset in text', 'error event in text', 'reset after the tool call', '529, for 15 min'],
}

describe.each(clients)('$name behind the gateway', (client) => {
  test('does every step once, where it would not alone', { timeout: 300_000 }, async (context) => {
    if (asked === '0' || (!isWanted && !isInstalled(client))) {
      return context.skip('not installed; LASTGOOD_CLIENTS=1 fetches it')
    }
    const wanted = telling[client.name] ?? []
    const plan = planOf({ clients: [client], kinds, sides: ['with lastgood'], fault: '' })
    const chosen = plan.filter((run) => wanted.includes(whatFails(run)))
    expect(chosen.map(whatFails)).toEqual(expect.arrayContaining([...wanted]))
    const { rows, missing } = await runMatrix(chosen, { signal: context.signal, tell: () => {} })
    for (const { why } of missing) {
      process.stderr.write(`${client.name} was not tried: ${why}\n`)
      context.skip(why)
    }
    expect(rows).toHaveLength(wanted.length)
    for (const { became, ...row } of rows) {
      const done = became.is === 'run' ? { ...became.done, everyStepOnce: isDone(became.done) } : became
      expect({ ...row, ...done }).toMatchObject({ everyStepOnce: true, isHit: true })
    }
  })
})
