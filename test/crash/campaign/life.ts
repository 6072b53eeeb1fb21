/**
 * One process of an agent, from its start to its end, by a kill or of its own accord.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Life, Said } from './evidence.ts'
import { arm, nameOf, type KillPlan, type Sign } from './kill-plan.ts'

const program = join(import.meta.dirname, 'agent-process.mjs')
/** A process that shows no sign for this long hangs. */
const patienceMs = 60_000

const children = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

export interface LifePlan {
  /** Argument of the program; `answers` are part of it. */
  argument: { answers: Life['answers'] } & Readonly<Record<string, unknown>>
  kill: KillPlan | undefined
  /** Something else that is broken meanwhile. */
  strike?: { plan: KillPlan; act: () => void } | undefined
  /** Subscribes to the requests that the lab gets. */
  onRequest: (listener: () => void) => void
}

export interface Lived extends Life {
  /** What it was last seen doing. */
  last: string
}

export async function live({ argument, kill, strike, onRequest }: LifePlan): Promise<Lived> {
  const child = spawn(process.execPath, [program, JSON.stringify(argument)], { stdio: ['pipe', 'pipe', 'pipe'] })
  children.add(child)
  const said: Said[] = []
  const over = new AbortController()
  let last: Sign | undefined
  let stderr = ''
  let end: 'killed' | 'stuck' | undefined
  const killAs = (how: 'killed' | 'stuck') => {
    // A process that has already ended was not killed.
    if (child.kill('SIGKILL')) end ??= how
  }
  const hanging = setTimeout(() => killAs('stuck'), patienceMs)
  const armed = [
    ...(kill ? [arm(kill, () => killAs('killed'), over.signal)] : []),
    ...(strike ? [arm(strike.plan, strike.act, over.signal)] : []),
  ]
  const see = (sign: Sign) => {
    last = sign
    hanging.refresh()
    for (const tell of armed) tell(sign)
  }

  onRequest(() => see({ requested: true }))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  const lines = createInterface(child.stdout).on('line', (line) => {
    const sign = parsed(line)
    if (!sign) return
    said.push(sign)
    see(sign)
  })
  const drained = once(lines, 'close')

  const [code] = (await once(child, 'exit')) as [number | null]
  over.abort()
  clearTimeout(hanging)
  await drained
  children.delete(child)
  const { answers } = argument
  return { answers, said, stderr, last: nameOf(last), end: code === null ? (end ?? 'failed') : endOf(code) }
}

/** A line torn by a kill is ignored. */
function parsed(line: string): Said | undefined {
  try {
    return JSON.parse(line) as Said
  } catch {
    return undefined
  }
}

function endOf(code: number): Life['end'] {
  const ends: Record<number, Life['end']> = { 0: 'finished', 3: 'asks', 4: 'not-now' }
  return ends[code] ?? 'failed'
}
