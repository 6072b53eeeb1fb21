/**
 * A gateway keeps a session for a while after its last request, for the next one. The next one may come through another
 * gateway, from a client that was started again: that gateway takes the session over if no answer of it is in hand. The
 * gateway that kept it is fenced off, and finds out at its own next request.
 */
import { LastgoodError, thisOwner, type Head, type Owner, type SessionSummary } from '@lastgood/core'

const mark = 'gateway:'

/** This process as the owner of a session that it keeps for clients. `id` must be new for each. */
export const gatewayOwner = (id: string): Owner => thisOwner(`${mark}${id}`)

/** The states in which no request to the API is under way. In any other an answer may come at any moment. */
const atRest: ReadonlySet<string> = new Set(['idle', 'executingTools', 'suspended', 'refused', 'needsInput'])

/** Whether a gateway (or nobody) holds the session, and what it does with it; undefined for any other holder. */
export function keptByGateway(summary: SessionSummary | undefined): 'resting' | 'answering' | undefined {
  if (summary?.holder && !summary.holder.owner.id.startsWith(mark)) return undefined
  return !summary?.holder || isResting(summary.head.machine) ? 'resting' : 'answering'
}

/** A turn that the API paused goes on with a request that has had no attempt yet: the head then has no `attempt`. */
const isResting = ({ value, context }: Head['machine']): boolean =>
  atRest.has(value) || (value === 'requesting' && context['attempt'] === undefined)

/** No command can end this wait: the answer comes, or that gateway gives it up. */
export function answeredElsewhere({ message, details }: LastgoodError): LastgoodError {
  return new LastgoodError('session-busy', message, {
    hint: 'another gateway is handling a request of this session; send the same request again once that has ended',
    details,
  })
}
