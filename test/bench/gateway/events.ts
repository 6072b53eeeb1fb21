/** What a contender adds to an event of a stream: with events one by one, and with events as fast as possible. */
import { askOnce, delaysIn } from './ask.ts'
import type { Contender, ContenderName } from './contenders.ts'
import type { Lab } from './lab.ts'
import { cpuOf } from '../process-facts.ts'
import { median, spreadOf, type Spread } from '../spread.ts'
import { Talk } from './talk.ts'

export interface Events {
  readonly name: ContenderName
  /** From the API's writing an event to the client's receiving it, above the median with nothing between, ms. */
  readonly added: Spread
  /** Events per second of a stream at full speed, median of the rounds. */
  readonly perSecond: number
  /** Processor time of the contender per event, µs; undefined if unknown. */
  readonly cpu: number | undefined
}

export interface EventsOptions {
  readonly rounds: number
  /** Events of the slow stream and of the fast one. */
  readonly slow: number
  readonly fast: number
}

export async function measureEvents(
  contenders: readonly Contender[],
  lab: Lab,
  { rounds, slow, fast }: EventsOptions,
): Promise<Events[]> {
  const all = contenders.map((contender) => ({
    contender,
    talk: new Talk(`events-${contender.name.replaceAll(/\W+/g, '-')}`, 9),
    delays: [] as number[],
    rates: [] as number[],
    cpu: [] as number[],
  }))
  // The first round warms up.
  for (let round = 0; round <= rounds; round += 1) {
    for (const { contender, talk, delays, rates, cpu } of all) {
      await lab.answer({ kind: 'stream', deltas: slow, everyMs: 2, call: false })
      const paced = await askOnce(contender.url, talk, { stream: true })
      talk.take(paced.text)
      await lab.answer({ kind: 'stream', deltas: fast, everyMs: 0, call: false })
      const before = cpuOf(contender.pid)
      const rushed = await askOnce(contender.url, talk, { stream: true })
      const after = cpuOf(contender.pid)
      talk.take(rushed.text)
      if (round === 0) continue
      delays.push(...delaysIn(paced))
      rates.push((fast / (rushed.endedAt - rushed.firstAt)) * 1000)
      if (before !== undefined && after !== undefined) cpu.push(((after - before) / fast) * 1000)
    }
  }
  const direct = median(all.find(({ contender }) => contender.name === 'direct')?.delays ?? [])
  return all.map(({ contender, delays, rates, cpu }) => ({
    name: contender.name,
    added: spreadOf(delays.map((delay) => delay - direct)),
    perSecond: median(rates),
    cpu: cpu.length === 0 ? undefined : median(cpu),
  }))
}
