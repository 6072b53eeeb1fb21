/**
 * `bench gateway`: what a gateway between client and API costs, lastgood's beside a minimal proxy and another gateway.
 *
 * 1. All have the same API behind them and take turns with every request, so other load on the machine affects all.
 * 2. A contender that cannot be started is reported with the reason, and the others are measured.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { contenderNames, startContender, type Contender, type ContenderName } from './contenders.ts'
import { measureEvents, type EventsOptions } from './events.ts'
import { measureFirstByte, type FirstByte } from './first-byte.ts'
import { goalsOf } from './goals.ts'
import { startLab, type Lab } from './lab.ts'
import { measureMemory, type Memory, type MemoryOptions } from './memory.ts'
import { measureRates } from './rates.ts'

export interface GatewayBenchOptions {
  readonly contenders: readonly ContenderName[]
  /** Messages before the request, an even number, and the number of requests of each contender. */
  readonly lengths: readonly { readonly messages: number; readonly rounds: number }[]
  readonly events: EventsOptions
  readonly rates: { readonly rounds: number; readonly ms: number }
  readonly memory: MemoryOptions
}

/** A run of some minutes; the longest conversations take the other gateway seconds each. */
const usual: GatewayBenchOptions = {
  contenders: contenderNames,
  lengths: [
    { messages: 10, rounds: 100 },
    { messages: 50, rounds: 100 },
    { messages: 200, rounds: 60 },
    { messages: 1000, rounds: 20 },
    { messages: 2000, rounds: 12 },
  ],
  events: { rounds: 5, slow: 200, fast: 2000 },
  rates: { rounds: 3, ms: 2000 },
  memory: { streams: 1000, messages: 9, settlingMs: 5000 },
}

/** To see that the bench works. */
const quick: GatewayBenchOptions = {
  contenders: contenderNames,
  lengths: [
    { messages: 10, rounds: 5 },
    { messages: 200, rounds: 5 },
  ],
  events: { rounds: 1, slow: 20, fast: 200 },
  rates: { rounds: 1, ms: 200 },
  memory: { streams: 50, messages: 9, settlingMs: 500 },
}

export const gatewayBenchOptions = { usual, quick }

export async function benchGateway(options: GatewayBenchOptions, tell: (line: string) => void) {
  const root = process.cwd()
  const dir = await mkdtemp(join(root, '.bench-gateway-'))
  const closing: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })]
  try {
    const lab = await startLab()
    closing.push(() => lab.stop())
    const place = { lab: lab.url, dir, root }
    const started: Contender[] = []
    const missing: { name: ContenderName; why: string }[] = []
    for (const name of options.contenders) {
      try {
        const contender = await startContender(name, place)
        closing.push(() => contender.stop())
        started.push(contender)
      } catch (error) {
        missing.push({ name, why: (error as Error).message })
        tell(`${name} did not start`)
      }
    }
    const results = await measure(started, lab, options, tell)
    const versions = started.flatMap(({ name, version }) => (version === undefined ? [] : [{ name, version }]))
    const memory: Memory[] = []
    for (const { name } of started.filter(({ pid }) => pid !== undefined)) {
      const contender = await startContender(name, place)
      try {
        memory.push(await measureMemory(contender, lab, options.memory))
      } finally {
        await contender.stop()
      }
      tell(`memory of ${name}`)
    }
    const all = { ...results, memory }
    return { options, versions, missing, ...all, goals: goalsOf(all) }
  } finally {
    for (const close of closing.reverse()) await close()
  }
}

async function measure(
  contenders: readonly Contender[],
  lab: Lab,
  options: GatewayBenchOptions,
  tell: (line: string) => void,
) {
  const firstByte: FirstByte[] = []
  for (const { messages, rounds } of options.lengths) {
    firstByte.push(await measureFirstByte(contenders, lab, messages, rounds))
    tell(`first byte after ${messages} messages`)
  }
  const events = await measureEvents(contenders, lab, options.events)
  tell('events')
  const rates = await measureRates(contenders, lab, options.rates.rounds, options.rates.ms)
  tell('requests and streams at once')
  return { firstByte, events, rates }
}
