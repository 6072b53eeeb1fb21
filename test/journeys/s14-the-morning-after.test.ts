/** S14: the next morning: what was it, who came through, what is lost, what did it cost? */
import Anthropic from '@anthropic-ai/sdk'
import { defineAgent, tool } from '@lastgood/anthropic'
import { exportSession, importSession, isLastgoodError, memoryStore, openSession, type Store } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { assistantCount, createLab, reply, text, toolUse, type LocalLab } from '@lastgood/outage-lab'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { journey, keepScreen } from './stage.ts'

const minute = 60_000
/** Of an outage of 1 h 32 m. */
const [from, to] = [5 * minute, 97 * minute]

interface Report {
  schema: string
  summary: {
    outages: number
    outageMs: number
    sessionsTouched: number
    recoveredBySelf: number
    turnsLost: number
    extra: { rereadTokens: number; usd: number }
  }
  outages: { model: string; sessions: number; durationMs: number; from: string; to: string | null }[]
  sessions: { sessionId: string; standing: string; turnsLost: number; command: string | null }[]
}

/** A session that has a turn, and is in the middle of the next one when the API goes down. */
async function night(
  id: string,
  { store, clock, lab }: { store: Store; clock: ManualClock; lab: LocalLab },
): Promise<void> {
  const step = tool({ name: 'step', description: 'One step.', input: z.object({}), run: () => 'done' })
  const client = new Anthropic({ baseURL: lab.url, fetch: lab.fetch, apiKey: 'any', logLevel: 'off' })
  const agent = defineAgent({ name: 'coder', client, model: 'claude-opus-5-5', maxTokens: 1024, tools: [step] })
  const session = await openSession(id, { store, clock })
  try {
    await session.run(agent, `Begin as ${id}`, { turn: 1 })
    await clock.sleepUntil(lab.startedAt + from)
    await session.run(agent, 'Go on', { turn: 2 })
  } catch (error) {
    if (!isLastgoodError(error, 'session-suspended')) throw error
  } finally {
    await session.close()
  }
}

/** Forty sessions of a night that is over. On virtual time, and so in memory: on a disk the time would not stand still. */
async function theNight(): Promise<{ store: Store; clock: ManualClock; lab: LocalLab; ids: string[] }> {
  const clock = new ManualClock({ startAt: Date.now() - 9 * 60 * minute, autoAdvance: true })
  const lab = createLab({
    model: (conversation) =>
      assistantCount(conversation) % 2 === 0 ? reply([text('On it.'), toolUse('step')]) : reply(text('Done.')),
    now: () => clock.now(),
    sleep: (ms) => clock.sleepUntil(clock.now() + ms),
    outages: [
      // Two have no money left, which is no outage.
      {
        when: { window: [from, Infinity], contains: 'unpaid' },
        fault: { kind: 'status', status: 402, type: 'billing_error' },
      },
      { when: { window: [from, to] }, fault: { kind: 'status', status: 529 } },
    ],
  })
  const store = memoryStore({ clock })
  const ids = Array.from({ length: 40 }, (_, n) => (n < 2 ? `unpaid-${n}` : `night-${n}`))
  await Promise.all(ids.map((id) => night(id, { store, clock, lab })))
  return { store, clock, lab, ids }
}

test('S14: the report of a night: 1 h 32 m, 40 sessions, 38 came through by themselves, no turn is lost, and what it cost (P1)', async () => {
  const at = await journey({ model: () => reply(text('nobody asks')) })
  const { store, clock, lab, ids } = await theNight()
  await lab.close()
  await Promise.all(ids.map((id) => moved(id, store, at.store, clock)))

  const report = ['status', '--report', '--since', '24h']
  const { schema, summary, outages, sessions } = await at.json<Report>('lastgood', report)
  expect(schema).toBe('lastgood.report/v1')
  expect(summary).toMatchObject({ outages: 1, sessionsTouched: 40, recoveredBySelf: 38, turnsLost: 0 })
  // As it was met from here: until the first probe after its end was answered.
  expect(summary.outageMs).toBeGreaterThanOrEqual(to - from)
  expect(summary.outageMs).toBeLessThan(to - from + 6 * minute)
  expect(summary.extra.rereadTokens).toBeGreaterThan(0)
  expect(summary.extra.usd).toBeGreaterThan(0)
  expect(outages).toMatchObject([{ model: 'claude-opus-5-5', sessions: 38 }])
  // Who needs a person comes first, with the command.
  expect(sessions.slice(0, 3).map(({ standing }) => standing)).toEqual(['suspended', 'suspended', 'recovered'])
  expect(sessions[0]).toMatchObject({ sessionId: 'unpaid-0', command: 'lastgood resume unpaid-0' })

  const terminal = at.terminal('lastgood', report, { columns: 120, rows: 60 })
  const { screen } = await terminal.ended
  keepScreen('s14-report', screen)
  expect(screen).toMatch(
    /outage {3}1h3\dm in 1 outage\nsessions 40 sessions affected, 38 recovered unattended, 2 need a person/,
  )
  expect(screen).toMatch(/lost {5}0 turns\n[^]*cost {5}about \$\d+\.\d\d more/)

  // For the post-mortem: one of them, without content.
  const exported = await at.run('lastgood', ['export', 'night-2', '-', '--redact'])
  expect(exported.code).toBe(0)
  expect(exported.stdout).toContain('"overloaded_error"')
  expect(exported.stdout).not.toContain('Begin as night-2')
})

/** As `lastgood export` and `import` move a session, with its instants. */
async function moved(id: string, from: Store, to: Store, clock: ManualClock): Promise<void> {
  const lines: string[] = []
  for await (const line of exportSession(from, id)) lines.push(line.slice(0, -1))
  const again = async function* () {
    yield* lines
  }
  await importSession(to, again, { clock })
}
