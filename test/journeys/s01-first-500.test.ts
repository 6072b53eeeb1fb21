/** S1: the first 500, in the seventh turn of a session. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { reply, story, text, type Outage } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { journey, keepScreen, type Journey } from './stage.ts'

const turns = [1, 2, 3, 4, 5, 6, 7].map((n) => `Do part ${n}`)
const model = story(turns.map((_, at) => reply(text(`Part ${at + 1} is done.`))))
/** Three times, on what begins turn 7. */
const outages: Outage[] = [{ when: { requests: [7, 9] }, fault: { kind: 'status', status: 500 } }]
const waits = { WAIT_MS: '1100' }

/** What an outage line has: what failed, which attempt, when the next one leaves, what is safe. */
const waiting = (attempt: number) =>
  new RegExp(`◐ API 500 api_error · attempt ${attempt} · (next in \\ds|trying now) · saved at turn 6`)

/** What has to be true of the wire and of the journal, whoever ran the turn. */
async function expectOneCallPaidFor(at: Journey): Promise<void> {
  // Four requests for turn 7, not three times three (P8), of which one was billed.
  expect(at.lab.requests.slice(6).map(({ outcome }) => outcome.status)).toEqual([500, 500, 500, 200])
  expect(at.lab.requests.slice(6).filter(({ outcome }) => outcome.usage)).toHaveLength(1)
  expect(new Set(at.lab.requests.slice(6).map(({ raw }) => raw)).size).toBe(1)
  const faults = await at.entriesOf('fault-observed')
  expect(faults.map(({ decision }) => decision.kind)).toEqual(['retry', 'retry', 'retry'])
  expect(faults.map(({ fault }) => fault.status)).toEqual([500, 500, 500])
  expect(await at.entriesOf('response-received')).toHaveLength(7)
  expect(await at.head()).toMatchObject({ status: 'idle', turn: 7, lastGoodTurn: 7 })
}

const eventsOf = (jsonl: string) =>
  jsonl
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event?: string; decision?: string; state?: string })

describe('S1: the API answers 500 three times in turn 7, then 200', () => {
  test('of an agent: the terminal shows the wait, the events have it, and the reply comes as if nothing had been', async () => {
    const at = await journey({ model, outages }, waits)
    expect(await at.run('main', ['fix-auth', ...turns.slice(0, 6)])).toMatchObject({ code: 0 })

    const terminal = at.terminal('sh', [`$lastgood resume fix-auth '${turns[6]}' --jsonl > events.jsonl`])
    const { code } = await terminal.ended
    for (const attempt of [1, 2, 3]) expect(terminal.written()).toMatch(waiting(attempt))
    keepScreen('s01-first-500', terminal.screen())
    expect(code).toBe(0)
    expect(terminal.screen()).toMatch(
      /Part 7 is done\. *\n✔ recovered after \ds, at attempt 4 · saved at turn 6\n✔ turn 7 is saved/,
    )
    // The line that was rewritten is gone.
    expect(terminal.screen()).not.toContain('◐')

    const events = eventsOf(readFileSync(join(at.cwd, 'events.jsonl'), 'utf8'))
    expect(events.filter(({ decision }) => decision === 'retry')).toHaveLength(3)
    expect(events.filter(({ event }) => event === 'recovered')).toEqual([expect.objectContaining({ attempts: 4 })])
    expect(events.at(-1)).toMatchObject({ state: 'done', turn: 7, text: 'Part 7 is done.' })
    await expectOneCallPaidFor(at)
  })

  test('of a loop of its own: no exception reaches it, its terminal shows the wait, and so does a second one', async () => {
    const at = await journey({ model, outages }, waits)
    expect(await at.run('loop', ['fix-auth', ...turns.slice(0, 6)])).toMatchObject({ code: 0, stderr: '' })

    const beside = at.terminal('lastgood', ['watch', 'fix-auth'])
    const events = at.start('lastgood', ['watch', 'fix-auth', '--jsonl'])
    await Promise.all([beside.shows('store '), events.saw('store ')])
    const terminal = at.terminal('loop', ['fix-auth', ...turns])
    expect(await terminal.ended).toMatchObject({ code: 0 })
    for (const attempt of [1, 2, 3]) expect(terminal.written()).toMatch(waiting(attempt))
    keepScreen('s01-own-loop', terminal.screen())
    expect(terminal.screen()).toMatch(/^\s*✔ recovered after \ds, at attempt 4 · saved at turn 6\nPart 7 is done\.$/)

    await Promise.all([beside.shows('✔ turn 7 is saved'), events.saw('"turn-ended"')])
    beside.press('ctrl-c')
    expect(await beside.ended).toMatchObject({ code: 0 })
    keepScreen('s01-watched', beside.screen())
    expect(beside.written()).toMatch(waiting(2))
    expect(beside.screen()).toMatch(/✔ recovered after \ds, at attempt 4 · saved at turn 6/)
    const seen = eventsOf((await events.kill('SIGINT')).stdout)
    expect(seen.filter(({ decision }) => decision === 'retry')).toHaveLength(3)
    expect(seen.filter(({ event }) => event === 'recovered')).toHaveLength(1)
    await expectOneCallPaidFor(at)
  })
})
