/** Opening a long session in a fresh process, against reading and parsing the same bytes in one, in turns. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { median } from '../spread.ts'

export interface Opening {
  readonly medium: string
  readonly what: string
  readonly bytes: number
  readonly messages: number
  /** From the start of the process until the array is in memory, ms. */
  readonly floor: number
  readonly opened: number
  /** The same without loading modules, ms. */
  readonly floorAlone: number
  readonly openedAlone: number
  /** Processor time of the whole process, all threads, ms. */
  readonly floorCpu: number
  readonly openedCpu: number
}

export interface Subject {
  readonly medium: string
  readonly what: string
  readonly bytes: number
  /** Arguments of `opening-process.ts`. */
  readonly floor: readonly string[]
  readonly open: readonly string[]
}

interface Ran {
  readonly total: number
  readonly loaded: number
  readonly cpu: number
  readonly messages: number
}

export async function measureOpening({ medium, what, bytes, floor, open }: Subject, runs: number): Promise<Opening> {
  const pairs: { floor: Ran; open: Ran }[] = []
  // The first pair brings the bytes into the page cache.
  for (let run = 0; run <= runs; run++) pairs.push({ floor: await inProcess(floor), open: await inProcess(open) })
  const of = (which: 'floor' | 'open', value: (ran: Ran) => number) =>
    median(pairs.slice(1).map((one) => value(one[which])))
  return {
    medium,
    what,
    bytes,
    messages: of('open', ({ messages }) => messages),
    floor: of('floor', ({ total }) => total),
    opened: of('open', ({ total }) => total),
    floorAlone: of('floor', ({ total, loaded }) => total - loaded),
    openedAlone: of('open', ({ total, loaded }) => total - loaded),
    floorCpu: of('floor', ({ cpu }) => cpu),
    openedCpu: of('open', ({ cpu }) => cpu),
  }
}

const program = fileURLToPath(new URL('opening-process.js', import.meta.url))

async function inProcess(args: readonly string[]): Promise<Ran> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args])
  return JSON.parse(stdout) as Ran
}
