/** Hundreds of sessions, one breaker, an outage: what they send, and how often they wait. Simulated on injected time. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { seededRandom } from '../testing/random.ts'
import { admit, report } from './breaker.ts'
import type { HealthRecord } from './record.ts'

const key = { endpoint: 'https://api.anthropic.com', model: 'm' }
const second = 1000
const answerMs = 500

interface Storm {
  sessions: number
  /** One step of a session, its request included. */
  stepMs: number
  outageMs: number
  seed: number
}

function simulate({ sessions, stepMs, outageMs, seed }: Storm) {
  const random = seededRandom(seed)
  const [outageAt, backAt] = [2 * stepMs, 2 * stepMs + outageMs]
  const sent: number[] = []
  const waits = Array.from({ length: sessions }, () => 0)
  const backOn = new Map<number, number>()
  let [probes, record, closedAt] = [0, undefined as HealthRecord | undefined, Infinity]

  const queue: { at: number; run(): void }[] = []
  const schedule = (at: number, run: () => void) => {
    const later = queue.findLastIndex((one) => one.at <= at)
    queue.splice(later + 1, 0, { at, run })
  }
  const see = (now: number, session: number, outcome: Parameters<typeof report>[1]['outcome']) => {
    const wasOpen = record !== undefined && record.breaker.state !== 'closed'
    record = report(record, { key, session: `s${session}`, outcome, now, random: random() })
    if (wasOpen && now > backAt && record.breaker.state === 'closed') closedAt = Math.min(closedAt, now)
  }
  const ask = (now: number, session: number, waiting?: { random: number }) => {
    const draw = waiting?.random ?? random()
    const result = admit(record, { session: `s${session}`, now, random: draw, waited: waiting !== undefined })
    record = result.record
    const { admission } = result
    if (admission.kind === 'wait') {
      waits[session] = (waits[session] ?? 0) + 1
      return schedule(admission.until, () => ask(admission.until, session, { random: draw }))
    }
    if (admission.kind === 'probe') probes += 1
    sent.push(now)
    // While it is down the API refuses at once; an answer takes the whole step.
    if (now >= outageAt && now < backAt) {
      return schedule(now + answerMs, () => {
        see(now + answerMs, session, { kind: 'fault', fault: 'overloaded' })
        const again = now + answerMs + random() * second
        schedule(again, () => ask(again, session, waiting))
      })
    }
    schedule(now + stepMs, () => {
      see(now + stepMs, session, { kind: 'ok', sentAt: now })
      if (now >= backAt && !backOn.has(session)) backOn.set(session, now)
      ask(now + stepMs, session)
    })
  }

  for (let session = 0; session < sessions; session++) {
    const at = random() * stepMs
    schedule(at, () => ask(at, session))
  }
  const end = () => Math.min(backAt + 420 * second, closedAt + 90 * second)
  for (let next = queue.shift(); next && next.at < end(); next = queue.shift()) next.run()
  return { sent, waits, probes, backOn, backAt, closedAt }
}

/** The most requests in any window of `ms` from `from` on. */
function peak(sent: readonly number[], from: number, ms: number): number {
  const after = sent.filter((at) => at >= from).sort((a, b) => a - b)
  let [first, most] = [0, 0]
  for (const [last, at] of after.entries()) {
    while ((after[first] ?? at) <= at - ms) first += 1
    most = Math.max(most, last - first + 1)
  }
  return most
}

const storms = fc.record({
  sessions: fc.constant(500),
  stepMs: fc.integer({ min: 10 * second, max: 30 * second }),
  outageMs: fc.oneof(
    fc.integer({ min: 20 * second, max: 120 * second }),
    fc.integer({ min: 120 * second, max: 3600 * second }),
  ),
  seed: fc.nat(),
})

test('of 500 sessions all go on soon after an outage, at no more than twice their usual rate, and each waits once a probe', () => {
  fc.assert(
    fc.property(storms, (storm) => {
      const { sent, waits, probes, backOn, backAt, closedAt } = simulate(storm)
      const windowMs = 10 * second
      const steady = (storm.sessions * windowMs) / storm.stepMs
      expect(peak(sent, closedAt, windowMs)).toBeLessThanOrEqual(2 * steady)
      expect(backOn.size).toBe(storm.sessions)
      expect(Math.max(...backOn.values()) - closedAt).toBeLessThanOrEqual(60 * second)
      expect(waits.reduce((sum, one) => sum + one, 0) / storm.sessions).toBeLessThanOrEqual(probes + 1)
      // The one that failed last lets another probe, and waits a second time for it.
      expect(Math.max(...waits)).toBeLessThanOrEqual(2 * probes)
      // While it is down hardly anybody but the prober asks.
      const downFrom = backAt - storm.outageMs + 10 * second
      expect(sent.filter((at) => at > downFrom && at < backAt).length).toBeLessThanOrEqual(probes)
    }),
    { numRuns: 10 },
  )
})
