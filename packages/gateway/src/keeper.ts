/**
 * A gateway keeps a session for a while after its last request, for the next one. The next one may come through another
 * gateway, of a client that was started again: that gateway takes the session over when no answer of it is in hand.
 * The one that kept it is fenced off, and finds out at its own next request.
 */
import { LastgoodError, thisOwner, type Head, type Owner, type SessionSummary } from '@lastgood/core'

const mark = 'gateway:'

/** This process as the owner of a session that it keeps for clients. `id` must be new for each. */
export const gatewayOwner = (id: string): Owner => thisOwner(`${mark}${id}`)

/** The states in which nothing is asked of the API; what is asked for may come any moment. */
const atRest: ReadonlySet<string> = new Set(['idle', 'executingTools', 'suspended', 'refused', 'needsInput'])

/** Whether nobody but a gateway is in the way, and what it does; undefined for any other holder. */
export function keptByGateway(summary: SessionSummary | undefined): 'resting' | 'answering' | undefined {
  if (summary?.holder && !summary.holder.owner.id.startsWith(mark)) return undefined
  return !summary?.holder || isResting(summary.head.machine) ? 'resting' : 'answering'
}

/** A turn that the API paused goes on with a request, of which there was no attempt yet: a head has no count of none. */
const isResting = ({ value, context }: Head['machine']): boolean =>
  atRest.has(value) || (value === 'requesting' && context['attempt'] === undefined)

/** Nothing that a command could end: the answer comes, or that gateway gives it up. */
export function answeredElsewhere({ message, details }: LastgoodError): LastgoodError {
  return new LastgoodError('session-busy', message, {
    hint: 'another gateway has a request of it in hand; the same request again goes on once that has ended',
    details,
  })
}
