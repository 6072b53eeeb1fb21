/** How many small requests and small streams pass per second: 32 at once, each in a session of its own. */
import { askOnce, now } from './ask.ts'
import type { Contender, ContenderName } from './contenders.ts'
import type { Lab } from './lab.ts'
import { cpuOf } from '../process-facts.ts'
import { median } from '../spread.ts'
import { Talk } from './talk.ts'

export const atOnce = 32
/** A session is replaced by a new one after this many turns. */
const turns = 20

interface Rate {
  readonly perSecond: number
  /** Processor time of the contender for each, ms; undefined if unknown. */
  readonly cpu: number | undefined
}

export interface Rates {
  readonly name: ContenderName
  readonly requests: Rate
  readonly streams: Rate
}

export async function measureRates(
  contenders: readonly Contender[],
  lab: Lab,
  rounds: number,
  ms: number,
): Promise<Rates[]> {
  const all = contenders.map((contender) => ({ contender, requests: [] as Rate[], streams: [] as Rate[] }))
  // The first round warms up.
  for (let round = 0; round <= rounds; round += 1) {
    for (const { contender, requests, streams } of all) {
      await lab.answer({ kind: 'whole' })
      const whole = await measureOne(contender, false, ms, `whole-${round}`)
      await lab.answer({ kind: 'stream', deltas: 20, everyMs: 0, call: false })
      const stream = await measureOne(contender, true, ms, `stream-${round}`)
      if (round === 0) continue
      requests.push(whole)
      streams.push(stream)
    }
  }
  return all.map(({ contender, requests, streams }) => ({
    name: contender.name,
    requests: medianOf(requests),
    streams: medianOf(streams),
  }))
}

async function measureOne({ url, pid, name }: Contender, stream: boolean, ms: number, label: string): Promise<Rate> {
  const [beganAt, before] = [now(), cpuOf(pid)]
  const until = beganAt + ms
  let count = 0
  const worker = async (at: number) => {
    for (let session = 0; ; session += 1) {
      const talk = new Talk(`rate-${label}-${at}-${session}-${name.replaceAll(/\W+/g, '-')}`, 1, 'small')
      for (let turn = 0; turn < turns; turn += 1) {
        if (now() >= until) return
        talk.take((await askOnce(url, talk, { stream })).text)
        count += 1
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, (_, at) => worker(at)))
  const [endedAt, after] = [now(), cpuOf(pid)]
  return {
    perSecond: (count / (endedAt - beganAt)) * 1000,
    cpu: before === undefined || after === undefined ? undefined : (after - before) / count,
  }
}

function medianOf(rates: readonly Rate[]): Rate {
  const cpu = rates.flatMap((one) => one.cpu ?? [])
  return {
    perSecond: median(rates.map((one) => one.perSecond)),
    cpu: cpu.length === 0 ? undefined : median(cpu),
  }
}
