/** The faults and their places: in the second answer of the job, which has text, thinking and a tool call. */
import type { CutPoint, Fault } from '@lastgood/outage-lab'

export interface NamedFault {
  readonly name: string
  readonly fault: Fault
}

const places: readonly (readonly [string, CutPoint])[] = [
  ['after message_start', { events: 1 }],
  ['in thinking', { inside: 'thinking' }],
  ['in text', { inside: 'text' }],
  ['in the tool input', { inside: 'tool_use' }],
  ['after the tool call', { before: 'message_delta' }],
  ['before message_stop', { before: 'message_stop' }],
]

const whole: readonly NamedFault[] = [
  { name: '500', fault: { kind: 'status', status: 500 } },
  { name: '529', fault: { kind: 'status', status: 529 } },
  { name: 'reset before the headers', fault: { kind: 'reset', at: 'before-headers' } },
  { name: 'silence before the headers', fault: { kind: 'stall', after: 'before-headers', pings: false } },
]

export const faults: readonly NamedFault[] = [
  ...whole,
  ...places.flatMap(([where, after]): NamedFault[] => [
    { name: `reset ${where}`, fault: { kind: 'cut', after, how: 'reset' } },
    { name: `polite end ${where}`, fault: { kind: 'cut', after, how: 'end' } },
    {
      name: `error event ${where}`,
      fault: { kind: 'error-event', after, type: 'overloaded_error', message: 'Overloaded' },
    },
    { name: `silence ${where}`, fault: { kind: 'stall', after, pings: false } },
    { name: `pings alone ${where}`, fault: { kind: 'stall', after, pings: true, everyMs: 500 } },
  ]),
]

/** What a whole outage is made of: all of its answers fail like this. */
export const outageFaults: readonly NamedFault[] = [
  ...whole,
  { name: 'reset in text', fault: { kind: 'cut', after: { inside: 'text' }, how: 'reset' } },
]
