/**
 * The ladder as a request meets it: rung 0 is the model that the caller asked for, through the caller's own client; the
 * others are the ladder's rungs after that model.
 *
 * A request for a model that the ladder does not name has one rung: no helper's small model is replaced by a large one.
 */
import type { Rung } from '../ladder/ladder.ts'
import type { Next } from './attempt.ts'
import type { WireRequest } from './messages-request.ts'

/** A rung, and how its requests are sent where that is not the caller's own client. */
export interface LadderRung extends Rung {
  readonly send?: ((request: WireRequest) => Promise<Response>) | undefined
}

export interface RequestRung<R extends WireRequest> {
  readonly model: string
  /** Origin and path of the API, for provider health. */
  readonly endpoint: string
  readonly next: Next<R>
}

export function rungsOf<R extends WireRequest>(
  ladder: readonly LadderRung[],
  request: R,
  model: string,
  next: Next<R>,
): readonly RequestRung<R>[] {
  const own = endpointOf(request.url)
  const asked = { model, endpoint: own, next }
  const at = ladder.findIndex((rung) => rung.model === model)
  if (at < 0) return [asked]
  return [
    asked,
    ...ladder.slice(at + 1).map((rung) => ({
      model: rung.model,
      endpoint: rung.endpoint ?? own,
      next: rung.send ?? next,
    })),
  ]
}

/** Where a request goes, without credentials and query: `https://api.anthropic.com`. */
function endpointOf(url: string): string {
  const { protocol, host, pathname } = new URL(url, 'http://localhost')
  return `${protocol}//${host}${pathname.replace(/\/v1\/messages$/, '').replace(/\/$/, '')}`
}
