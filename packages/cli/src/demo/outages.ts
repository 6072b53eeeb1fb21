/** What fails in the demo, by the number of the request that meets it, and how fast the demo runs. */
import type { FaultKind, PolicyOptions } from '@lastgood/core'
import type { Outage } from '@lastgood/outage-lab'
import { pictureData } from './project.ts'

/** `readable`: at a speed that a person can follow. `fast`: as fast as possible, for scripts. */
export type Pace = 'readable' | 'fast'

/** The requested model, and the one that takes over a turn when it is down. */
export const demoModels = ['claude-opus-5-5', 'claude-sonnet-5-5'] as const

export interface ScriptedFault {
  /** What happens, for people. */
  readonly name: string
  /** The fault kind that the journal must record for it. */
  readonly kind: FaultKind
  /** How often it happens. */
  readonly times: number
  readonly outage: Outage
}

/** The API cannot read the screenshot, and refuses every request that contains it, for ever. */
export const refusedPicture: Outage = {
  name: 'an image that cannot be read',
  when: { requests: [1, Infinity], contains: pictureData },
  fault: { kind: 'status', status: 400, type: 'invalid_request_error', message: 'Could not process image' },
}

export function scriptedFaults(pace: Pace): readonly ScriptedFault[] {
  // Long enough for the outage line, or at least the demo, to ask the status page about it.
  const headers = { 'retry-after': pace === 'readable' ? '6' : '1' }
  const [first] = demoModels
  const faults: [kind: FaultKind, times: number, outage: Outage & { name: string }][] = [
    ['image-rejected', 1, { ...refusedPicture, name: refusedPicture.name ?? '' }],
    [
      'overloaded',
      2,
      { name: '529', when: { requests: [5, 9], model: first }, fault: { kind: 'status', status: 529, headers } },
    ],
    [
      'stream-truncated',
      1,
      {
        name: 'end without message_stop',
        when: { request: 8 },
        fault: { kind: 'cut', after: { inside: 'text' }, how: 'end' },
      },
    ],
    ['server-transient', 2, { name: '500', when: { requests: [11, 12] }, fault: { kind: 'status', status: 500 } }],
    [
      'stream-cut',
      1,
      {
        name: 'cut inside a tool call',
        when: { request: 14 },
        fault: { kind: 'cut', after: { inside: 'tool_use' }, how: 'reset' },
      },
    ],
  ]
  return faults.map(([kind, times, outage]) => ({ name: outage.name, kind, times, outage }))
}

/** Waits that a person can watch; real agents keep the defaults. */
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

/** The migration has eight parts: together long enough to kill the agent in. */
export const migrationPartMs = (pace: Pace): number => (pace === 'readable' ? 500 : 300)
