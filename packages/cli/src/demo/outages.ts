/** The outages of the demo, by the number of the request that meets them, and how fast everything goes. */
import type { FaultKind, PolicyOptions } from '@lastgood/core'
import type { Outage } from '@lastgood/outage-lab'

/** `readable`: as fast as a person can follow. `fast`: as fast as it goes, for scripts. */
export type Pace = 'readable' | 'fast'

export interface ScriptedFault {
  /** What happens, for people. */
  readonly name: string
  /** What the journal must call it. */
  readonly kind: FaultKind
  readonly outage: Outage
}

export function scriptedFaults(pace: Pace): readonly ScriptedFault[] {
  const overloadedFor = pace === 'readable' ? { headers: { 'retry-after': '1' } } : {}
  const faults: [name: string, kind: FaultKind, request: number, fault: Outage['fault']][] = [
    ['500', 'server-transient', 2, { kind: 'status', status: 500 }],
    ['500', 'server-transient', 3, { kind: 'status', status: 500 }],
    ['500', 'server-transient', 4, { kind: 'status', status: 500 }],
    ['end without message_stop', 'stream-truncated', 7, { kind: 'cut', after: { inside: 'text' }, how: 'end' }],
    ['529', 'overloaded', 9, { kind: 'status', status: 529, ...overloadedFor }],
    ['cut inside a tool call', 'stream-cut', 11, { kind: 'cut', after: { inside: 'tool_use' }, how: 'reset' }],
  ]
  return faults.map(([name, kind, request, fault]) => ({ name, kind, outage: { name, when: { request }, fault } }))
}

/** Waits that a person can watch; an agent at work keeps the defaults. */
export function demoPolicy(pace: Pace): PolicyOptions {
  const [baseMs, capMs] = pace === 'readable' ? [700, 1_500] : [5, 20]
  const wait = { baseMs, capMs }
  return {
    rules: {
      'server-transient': wait,
      overloaded: wait,
      transport: wait,
      'stream-cut': { ...wait, quickResends: 0 },
      'stream-truncated': { ...wait, quickResends: 0 },
    },
  }
}

/** The pause before each event of an answer. */
export const chunkDelayMs = (pace: Pace): number => (pace === 'readable' ? 20 : 0)

/** Eight of them: long enough to be killed in. */
export const migrationPartMs = (pace: Pace): number => (pace === 'readable' ? 500 : 300)
