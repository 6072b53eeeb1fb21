/** What a contender adds to the time until the first byte of an answer, in a conversation that grows. */
import { median, spreadOf, type Spread } from '../spread.ts'
import { askOnce } from './ask.ts'
import type { Contender, ContenderName } from './contenders.ts'
import type { Lab } from './lab.ts'
import { cpuOf } from '../process-facts.ts'
import { Talk } from './talk.ts'

export interface FirstByte {
  /** Recorded before the request, which has one more. */
  readonly messages: number
  readonly bytes: number
  readonly rounds: number
  readonly of: readonly {
    readonly name: ContenderName
    /** From the request to the first byte of its answer, ms. */
    readonly whole: Spread
    /** Above the median with nothing between, ms. */
    readonly added: Spread
    /** Processor time of the contender for a request and its whole answer, ms; undefined if unknown. */
    readonly cpu: number | undefined
  }[]
}

/** Requests that do not count, so that the JIT compiler is done. */
const warmUps = 3
/** A conversation is replaced by a new one when it has grown by this factor. */
const growth = 1.1

export async function measureFirstByte(
  contenders: readonly Contender[],
  lab: Lab,
  messages: number,
  rounds: number,
): Promise<FirstByte> {
  await lab.answer({ kind: 'stream', deltas: 20, everyMs: 0, call: true })
  const all = contenders.map((contender) => ({
    contender,
    talk: undefined as Talk | undefined,
    times: [] as number[],
    cpu: [] as number[],
  }))
  let bytes = 0
  for (let round = -warmUps; round < rounds; round += 1) {
    for (const one of all) {
      const { name, url, pid } = one.contender
      if (!one.talk || one.talk.length > messages * growth + 1) {
        one.talk = new Talk(`first-${messages}-${round + warmUps}-${name.replaceAll(/\W+/g, '-')}`, messages - 1)
        one.talk.take((await askOnce(url, one.talk, { stream: true })).text)
      }
      const cpu = cpuOf(pid)
      const asked = await askOnce(url, one.talk, { stream: true })
      const cpuAfter = cpuOf(pid)
      if (round >= 0) {
        one.times.push(asked.firstAt - asked.beganAt)
        if (cpu !== undefined && cpuAfter !== undefined) one.cpu.push(cpuAfter - cpu)
      }
      if (round === 0) bytes = Math.max(bytes, one.talk.body(true).length)
      one.talk.take(asked.text)
    }
  }
  const direct = median(all.find(({ contender }) => contender.name === 'direct')?.times ?? [])
  return {
    messages,
    bytes,
    rounds,
    of: all.map(({ contender, times, cpu }) => ({
      name: contender.name,
      whole: spreadOf(times),
      added: spreadOf(times.map((time) => time - direct)),
      cpu: cpu.length === 0 ? undefined : median(cpu),
    })),
  }
}
