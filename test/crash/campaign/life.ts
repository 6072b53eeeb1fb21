/**
 * One process of an agent, from its start to its end, by a kill or of its own accord.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Life, Said } from './evidence.ts'
import { isSign, nameOf, type KillPlan, type Sign } from './kill-plan.ts'

const program = join(import.meta.dirname, 'agent-process.mjs')
/** A process of which nothing is seen for so long hangs. */
const patienceMs = 60_000

const children = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

export interface LifePlan {
  /** Argument of the program; `answers` are part of it. */
  argument: { answers: Life['answers'] } & Readonly<Record<string, unknown>>
  kill: KillPlan | undefined
  /** Calls back for each request that the lab gets. */
  onRequest: (listener: () => void) => void
}

export interface Lived extends Life {
  /** What it was last seen doing. */
  last: string
}

export async function live({ argument, kill, onRequest }: LifePlan): Promise<Lived> {
  const child = spawn(process.execPath, [program, JSON.stringify(argument)], { stdio: ['pipe', 'pipe', 'pipe'] })
  children.add(child)
  const said: Said[] = []
  const limit = new AbortController()
  let [last, seen, stderr]: [Sign | undefined, number, string] = [undefined, 0, '']
  let end: 'killed' | 'stuck' | undefined
  const killNow = (how: 'killed' | 'stuck') => {
    // What has ended of its own accord was not killed.
    if (child.kill('SIGKILL')) end ??= how
  }
  const killIn = async (ms: number) => {
    // A tick of the clock is a millisecond: without one, at once.
    if (ms > 0) await sleep(ms, undefined, { signal: limit.signal }).catch(() => {})
    if (!limit.signal.aborted) killNow('killed')
  }
  const see = (sign: Sign) => {
    last = sign
    hanging.refresh()
    if (kill?.on && isSign(sign, kill.on) && (seen += 1) === kill.on.nth) void killIn(kill.afterMs)
  }
  const hanging = setTimeout(() => killNow('stuck'), patienceMs)

  onRequest(() => see({ requested: true }))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  const lines = createInterface(child.stdout).on('line', (line) => {
    const sign = parsed(line)
    if (!sign) return
    said.push(sign)
    see(sign)
  })
  const drained = once(lines, 'close')
  if (kill && !kill.on) void killIn(kill.afterMs)

  const [code] = (await once(child, 'exit')) as [number | null]
  limit.abort()
  clearTimeout(hanging)
  await drained
  children.delete(child)
  const { answers } = argument
  return { answers, said, stderr, last: nameOf(last), end: code === null ? (end ?? 'failed') : endOf(code) }
}

/** What a kill left of a line says nothing. */
function parsed(line: string): Said | undefined {
  try {
    return JSON.parse(line) as Said
  } catch {
    return undefined
  }
}

function endOf(code: number): Life['end'] {
  const ends: Record<number, Life['end']> = { 0: 'finished', 3: 'asks', 4: 'busy' }
  return ends[code] ?? 'failed'
}
