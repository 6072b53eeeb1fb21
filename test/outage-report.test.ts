/** A night of sessions against a failing API, and the report on it: it says what really happened. */
import { defineAgent, ladder, tool } from '@lastgood/anthropic'
import { openSession } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { reply, story, text as say, toolUse, type Outage } from '@lastgood/outage-lab'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { run } from '../packages/cli/test/context.ts'
import { newFolder } from './support/folder.ts'
import { jumpingClock, startTestLab } from './support/harness.ts'

const [opus, sonnet] = ['claude-opus-5-5', 'claude-sonnet-5-5'] as const
const down = (requests: [number, number], status = 529): Outage => ({
  when: { requests, model: opus },
  fault: { kind: 'status', status },
})

interface Report {
  summary: { outageMs: number; extra: { repeatedTokens: number } }
  outages: { wire: { label: string }[] }[]
  recoveries: object
  sessions: { sessionId: string; standing: string; faults: number }[]
}

test('the report of a night says what was down, how each session came through, and what is lost: nothing (P1)', async () => {
  const dir = newFolder()
  const clock = jumpingClock()
  const store = fileStore({ dir, clock })
  const startedAt = clock.now()
  const count = tool({ name: 'count', description: 'Counts', input: z.object({}), run: async () => 'one' })
  const answers = () => story([reply([say('Looking.'), toolUse('count', {})]), reply(say('Done.'))])
  const session = async (id: string, outages: Outage[], model: string | ReturnType<typeof ladder> = opus) => {
    const { lab, client } = await startTestLab({ model: answers(), outages })
    const opened = await openSession(id, { store, clock })
    const agent = defineAgent({ name: 'coder', client, model, system: 'You code.', tools: [count] })
    const ended = await opened.run(agent, 'Count').then(
      () => 'done',
      () => 'stopped',
    )
    await opened.close()
    return { lab, ended }
  }

  const nights = {
    stays: await session('stays', [down([2, 6])]),
    cut: await session('cut', [
      { when: { request: 2 }, fault: { kind: 'cut', after: { before: 'message_delta' }, how: 'reset' } },
    ]),
    moves: await session('moves', [down([1, 2])], ladder(opus, sonnet)),
    locked: await session('locked', [down([1, 9], 401)]),
    quiet: await session('quiet', []),
  }
  const endedAs = Object.entries(nights).map(([id, { ended }]) => [id, ended])
  expect(endedAs).toEqual([
    ['stays', 'done'],
    ['cut', 'done'],
    ['moves', 'done'],
    ['locked', 'stopped'],
    ['quiet', 'done'],
  ])

  const flags = ['--report', '--store', dir]
  const { code, stdout } = await run(['status', ...flags, '--json'], { cwd: dir, clock })
  expect(code).toBe(0)
  const { summary, outages, recoveries, sessions } = JSON.parse(stdout) as Report
  // One night: nothing lies between the sessions, so it is one outage, of what the lab really refused.
  const failed = [nights.stays, nights.cut, nights.moves].flatMap(({ lab }) => lab.requests)
  expect(outages).toMatchObject([
    { model: opus, sessions: 3, faults: failed.filter(({ outcome }) => outcome.kind === 'fault').length },
  ])
  expect(outages[0]?.wire.map(({ label }) => label).sort()).toEqual(['529 overloaded_error', 'ECONNRESET (stream-cut)'])
  expect(summary.outageMs).toBeLessThanOrEqual(clock.now() - startedAt)
  expect(summary).toMatchObject({ recoveredBySelf: 3, turnsLost: 0, calls: { told: 0, rerun: 0, verified: 0 } })
  expect(summary.extra.repeatedTokens).toBeGreaterThan(0)
  expect(recoveries).toMatchObject({ 'same-model': { count: 2 }, fallback: { count: 1 } })
  expect(sessions.map(({ sessionId, standing, faults }) => [sessionId, standing, faults])).toEqual([
    ['locked', 'suspended', 2],
    ['stays', 'recovered', 5],
    ['cut', 'recovered', 1],
    ['moves', 'recovered', 2],
  ])

  const text = await run(['status', ...flags], { cwd: dir, clock })
  expect(text.stdout).toMatch(/sessions 4 sessions affected, 3 recovered unattended, 1 needs a person\nlost {5}0 turns/)
})
