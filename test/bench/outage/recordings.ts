/**
 * The answers of the outage lab, recorded once and played many times: checking and signing hundreds of thousands of
 * requests one by one would be slow.
 */
import { createLab, reply, text, toolUse, type Fault, type Outage } from '@lastgood/outage-lab'
import { bodyOf, firstMessage, headers, url } from './workload.ts'

/** The bytes of an answer, or the error that Node's fetch ends with. */
export type Recording =
  | { readonly kind: 'answer'; readonly status: number; readonly headers: Headers; readonly body: string }
  | { readonly kind: 'error'; readonly cause: unknown }

export type Said = 'call' | 'end'

/** What was recorded of an answer under a fault of `outages`, or under none. */
export type Recordings = (said: Said, fault: Fault | undefined) => Recording

export async function recordAll(outages: readonly Outage[]): Promise<Recordings> {
  const faults = outages.flatMap(({ fault }) => ('oneOf' in fault ? fault.oneOf.map((one) => one.fault) : [fault]))
  const recorded = { call: new Map<Fault | undefined, Recording>(), end: new Map<Fault | undefined, Recording>() }
  for (const said of ['call', 'end'] as const) {
    for (const fault of [undefined, ...faults]) recorded[said].set(fault, await recordOne(said, untilStall(fault)))
  }
  return (said, fault) => recorded[said].get(fault) ?? { kind: 'error', cause: new Error('never recorded') }
}

/** A lab that says one thing, under one fault. */
async function recordOne(said: Said, fault: Fault | undefined): Promise<Recording> {
  const command = toolUse('shell', { command: 'npm test' })
  const lab = createLab({
    model: () => (said === 'call' ? reply([text('I run the tests.'), command]) : reply(text('All tests pass.'))),
    outages: fault ? [{ when: { requests: [1, Infinity] }, fault }] : [],
    now: () => 0,
    sleep: async () => {},
  })
  try {
    const response = await lab.fetch(url, { method: 'POST', headers, body: bodyOf([firstMessage(1)]) })
    return { kind: 'answer', status: response.status, headers: response.headers, body: await response.text() }
  } catch (error) {
    return { kind: 'error', cause: error instanceof Error ? error.cause : error }
  }
}

/** A stall has no end to record: what comes before it is recorded, as if the stream were cut there. */
function untilStall(fault: Fault | undefined): Fault | undefined {
  if (fault?.kind !== 'stall') return fault
  const { after } = fault
  return { kind: 'cut', after: typeof after === 'string' ? { events: 0 } : after, how: 'end' }
}

const toolIds = /"toolu_[^"]+"/g
const messageIds = /"msg_[^"]+"/g

/** The answer with its own ids. */
export function withIds(body: string, id: string): string {
  return body.replaceAll(messageIds, `"msg_${id}"`).replaceAll(toolIds, `"toolu_${id}"`)
}
