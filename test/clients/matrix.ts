/** Runs a plan, a few runs at a time, and reports the result of each. */
import { installAll } from './install.ts'
import { isDone, runJob, type JobDone } from './job.ts'
import type { Kind, PlannedRun, Side } from './plan.ts'

export interface Row {
  readonly client: string
  readonly kind: Kind | 'nothing'
  readonly fault: string
  readonly minutes?: number
  readonly side: Side
  readonly became: Became
}

export type Became =
  | { readonly is: 'run'; readonly done: JobDone }
  | { readonly is: 'skipped'; readonly why: string }
  /** It could not be run: no fault of the client. */
  | { readonly is: 'broken'; readonly why: string }

export interface Missing {
  readonly client: string
  readonly why: string
}

export interface Matrix {
  readonly rows: readonly Row[]
  readonly missing: readonly Missing[]
}

/** The machine has few cores, and a client that starts takes one. */
const atOnce = 2

export async function runMatrix(
  plan: readonly PlannedRun[],
  { signal, tell }: { signal: AbortSignal; tell: (row: Row) => void },
): Promise<Matrix> {
  const installed = await installAll(
    plan.map((run) => run.client),
    signal,
  )
  const rows: Row[] = []
  const left = [...plan]
  async function work(): Promise<void> {
    for (let run = left.shift(); run && !signal.aborted; run = left.shift()) {
      const there = installed.get(run.client.name)
      if (!there || 'missing' in there) continue
      const { client, kind, fault, minutes, side } = run
      const became = await becomeOf(run, there.bin, rows, signal)
      const row: Row = { client: client.name, kind, fault, ...(minutes !== undefined && { minutes }), side, became }
      // An interrupted run says nothing about its client.
      if (signal.aborted) return
      rows.push(row)
      tell(row)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  const missing = [...installed].flatMap(([client, one]) => ('missing' in one ? [{ client, why: one.missing }] : []))
  return { rows, missing }
}

async function becomeOf(run: PlannedRun, bin: string, rows: readonly Row[], signal: AbortSignal): Promise<Became> {
  const { client, kind, fault, side, job } = run
  const isLikeThis = (row: Row) => row.client === client.name && row.fault === fault && row.side === side
  // A client that hangs on one silence hangs on the first of three.
  if (kind === 'repeatedly' && rows.some((row) => row.kind === 'once' && isLikeThis(row) && hasHung(row))) {
    return { is: 'skipped', why: 'hung the first time' }
  }
  try {
    return { is: 'run', done: await runJob({ client, bin, ...job, signal }) }
  } catch (error) {
    return { is: 'broken', why: String(error) }
  }
}

const hasHung = ({ became }: Row): boolean => became.is === 'run' && became.done.exitCode === null

export const isGood = ({ became }: Row): boolean => became.is === 'run' && isDone(became.done)
