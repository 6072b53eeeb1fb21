/** The runs of the matrix: each client, each fault, alone and behind the gateway. */
import type { Client } from './clients.ts'
import { faults, outageFaults, type NamedFault } from './faults.ts'
import type { JobOptions } from './job.ts'

export const kinds = ['once', 'repeatedly', 'outage'] as const
export type Kind = (typeof kinds)[number]

export type Side = 'alone' | 'with lastgood'

export interface PlannedRun {
  readonly client: Client
  readonly kind: Kind | 'nothing'
  readonly fault: string
  /** The length of an outage. */
  readonly minutes?: number
  readonly side: Side
  readonly job: Pick<JobOptions, 'trouble' | 'gateway' | 'patienceMs'>
}

export interface PlanOptions {
  readonly clients: readonly Client[]
  readonly kinds: readonly Kind[]
  readonly sides: readonly Side[]
  /** A part of the names of faults; the empty one takes all. */
  readonly fault: string
}

/** Longer than any client's back-off: one that stands still for longer hangs. */
const patienceMs = 60_000
const repetitions = 3
/** Silence is noticed after 2 s, so that no run waits for minutes. */
const watchful = { args: ['--stall', '2s'] }

/** The gateway is as its users run it, but an hour on its clock is half a minute. */
const speed = 120
const outageMinutes = [5, 15, 60]
/** A client alone has no such clock: it gets the shortest outage, in full. */
const aloneMinutes = 5

export function planOf({ clients, kinds: chosen, sides, fault }: PlanOptions): PlannedRun[] {
  const isChosen = ({ name }: { name: string }) => name.includes(fault)
  const [single, long] = [faults.filter(isChosen), outageFaults.filter(isChosen)]
  const each = (kind: Kind, runs: (client: Client) => PlannedRun[]) =>
    chosen.includes(kind) ? clients.flatMap(runs).filter(({ side }) => sides.includes(side)) : []
  return [
    ...each('once', (client) => [
      ...(isChosen({ name: nothing }) ? both({ client, kind: 'nothing', fault: nothing }) : []),
      ...single.flatMap((one) => tries(client, 'once', one, 1)),
    ]),
    ...each('repeatedly', (client) => single.flatMap((one) => tries(client, 'repeatedly', one, repetitions))),
    ...each('outage', (client) => long.flatMap((one) => outages(client, one))),
  ]
}

const nothing = 'nothing'

function both(
  run: Pick<PlannedRun, 'client' | 'kind' | 'fault'>,
  trouble?: NonNullable<JobOptions['trouble']>,
): PlannedRun[] {
  const job = { trouble, patienceMs }
  return [
    { ...run, side: 'alone', job },
    { ...run, side: 'with lastgood', job: { ...job, gateway: watchful } },
  ]
}

const tries = (client: Client, kind: Kind, { name, fault }: NamedFault, times: number): PlannedRun[] =>
  both({ client, kind, fault: name }, { kind: 'tries', fault, tries: times })

function outages(client: Client, { name, fault }: NamedFault): PlannedRun[] {
  const run = { client, kind: 'outage', fault: name } as const
  const aloneMs = aloneMinutes * 60_000
  const alone: PlannedRun = {
    ...run,
    minutes: aloneMinutes,
    side: 'alone',
    job: { trouble: { kind: 'outage', fault, ms: aloneMs }, patienceMs: aloneMs + 2 * patienceMs },
  }
  const behind = outageMinutes.map((minutes): PlannedRun => {
    const ms = (minutes * 60_000) / speed
    const job = { trouble: { kind: 'outage', fault, ms }, gateway: { speed }, patienceMs: ms + patienceMs } as const
    return { ...run, minutes, side: 'with lastgood', job }
  })
  return [alone, ...behind]
}
