/** The goals, and whether they are met: little added to the first byte, ahead of the other gateway in every row. */
import type { ContenderName } from './contenders.ts'
import type { Events } from './events.ts'
import type { FirstByte } from './first-byte.ts'
import type { Memory } from './memory.ts'
import type { Rates } from './rates.ts'

export interface GatewayResults {
  readonly firstByte: readonly FirstByte[]
  readonly events: readonly Events[]
  readonly rates: readonly Rates[]
  readonly memory: readonly Memory[]
}

export interface Goal {
  readonly name: string
  readonly measured: number
  readonly bound: number
  /** Whether the bound is an upper or a lower one. */
  readonly is: 'at most' | 'at least'
  readonly met: boolean
}

const ours: ContenderName = 'lastgood, file'
const theirs: ContenderName = 'claude-code-router'

export function goalsOf({ firstByte, events, rates, memory }: GatewayResults): Goal[] {
  return [
    ...firstByte
      .filter(({ messages }) => messages === 200)
      .flatMap((row) =>
        addedBy(ours, row).map(({ p50 }) => goal('added to the first byte, 200 messages, p50, ms', p50, 'at most', 1)),
      ),
    ...firstByte.flatMap((row) =>
      (['p50', 'p95'] as const).flatMap((which) =>
        against(
          row.of,
          `added to the first byte, ${row.messages} messages, ${which}, ms`,
          'at most',
          (one) => one.added[which],
        ),
      ),
    ),
    ...(['p50', 'p95'] as const).flatMap((which) =>
      against(events, `added to an event, ${which}, µs`, 'at most', (one) => one.added[which] * 1000),
    ),
    ...against(events, 'events/s of one stream', 'at least', (one) => one.perSecond),
    ...against(rates, 'requests/s', 'at least', (one) => one.requests.perSecond),
    ...against(rates, 'streams/s', 'at least', (one) => one.streams.perSecond),
    ...against(memory, 'memory with open streams, MB', 'at most', (one) => one.open),
    ...against(memory, 'memory after streams end, MB', 'at most', (one) => one.after),
  ]
}

const addedBy = (name: ContenderName, { of }: FirstByte) => of.flatMap((one) => (one.name === name ? [one.added] : []))

/** Ours against theirs; no goal if one of them is missing. */
function against<One extends { readonly name: ContenderName }>(
  all: readonly One[],
  name: string,
  is: Goal['is'],
  value: (one: One) => number,
): Goal[] {
  const [our, their] = [ours, theirs].map((contender) => all.find((one) => one.name === contender))
  return our && their ? [goal(name, value(our), is, value(their))] : []
}

function goal(name: string, measured: number, is: Goal['is'], bound: number): Goal {
  return { name, measured, bound, is, met: is === 'at most' ? measured <= bound : measured >= bound }
}
