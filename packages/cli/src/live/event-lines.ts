/** A session's events as JSON lines: facts without content, and `recovered` when an outage is over. */
import type { SessionEvent } from '@lastgood/core'
import type { Output } from '../context.ts'
import { iso } from '../durations.ts'
import { entryFacts } from '../entry-facts.ts'
import { Troubles } from '../outages/trouble.ts'
import { jsonLine } from '../text.ts'

export function eventLines(output: Output, sessionId: string): (event: SessionEvent) => void {
  const troubles = new Troubles()
  const write = (facts: object) => output.write(jsonLine({ schema: 'lastgood.event/v1', sessionId, ...facts }))
  return (event) => {
    if (event.type === 'in-doubt') {
      write({ event: 'in-doubt', toolUseId: event.toolUseId, tool: event.name, did: event.did })
    }
    if (event.type === 'backfilled') write({ event: 'backfilled', entries: event.entries })
    if (event.type !== 'entry') return
    const { entry } = event
    const over = troubles.take(entry)?.live
    const { type, ...facts } = entryFacts(entry)
    write({ event: type, ...facts })
    if (entry.type !== 'response-received' || !over) return
    write({ event: 'recovered', at: iso(entry.at), afterMs: entry.at - over.since, attempts: over.attempt })
  }
}
