/** A session's events as JSON lines: facts without content, and `recovered` when an outage is over. */
import type { SessionEvent } from '@lastgood/core'
import type { Output } from '../context.ts'
import { iso } from '../durations.ts'
import { entryFacts } from '../entry-facts.ts'
import { outageAfter, type Outage } from './outage-line.ts'
import { jsonLine } from '../text.ts'

export function eventLines(output: Output, sessionId: string): (event: SessionEvent) => void {
  let outage: Outage | null = null
  let attempt = 0
  const write = (facts: object) => output.write(jsonLine({ schema: 'lastgood.event/v1', sessionId, ...facts }))
  return (event) => {
    if (event.type === 'in-doubt') {
      write({ event: 'in-doubt', toolUseId: event.toolUseId, tool: event.name, did: event.did })
    }
    if (event.type !== 'entry') return
    const { entry } = event
    const before = outage
    if (entry.type === 'request-sent') attempt = entry.attempt
    outage = outageAfter(outage, entry, attempt)
    const { type, ...facts } = entryFacts(entry)
    write({ event: type, ...facts })
    if (entry.type !== 'response-received' || !before) return
    write({ event: 'recovered', at: iso(entry.at), afterMs: entry.at - before.since, attempts: before.attempt })
  }
}
