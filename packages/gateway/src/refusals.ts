/**
 * Refusals that the client can act on itself: the first one is passed to it at once, in the API's words. A client that
 * comes back with the same cannot act on it, so from then on it is handled as for any client.
 *
 * 1. Of credentials that the client can renew: Claude Code runs its `apiKeyHelper` again, or refreshes its login. The
 *    same ones again are waited out if that looks like an outage of the login.
 * 2. Of a history that is longer than the window: Claude Code and its sub-agents compact it. The same one again has old
 *    results shortened, of which neither the client nor its user hears.
 */
import { createHash } from 'node:crypto'
import { decide } from '@lastgood/core'

/** What the client of a request can replace by itself; undefined for what it cannot. */
export interface Replaceable {
  credentials: Headers | undefined
  /** Tells a history by its beginning: a compaction replaces that. */
  history: string | undefined
}

export class Refusals {
  #asked: Record<keyof Replaceable, string | undefined> = { credentials: undefined, history: undefined }
  readonly #told: Partial<Record<keyof Replaceable, string>> = {}

  asks({ credentials, history }: Replaceable): void {
    this.#asked = { credentials: credentials && digestOf(credentials), history }
  }

  readonly decide: typeof decide = (fault, history, policy) => {
    const decision = decide(fault, history, policy)
    const isDenial = fault.kind === 'auth-blocked' || fault.kind === 'auth-outage'
    if (isDenial && this.#isNew('credentials')) {
      return { kind: 'fail', reason: 'The API refused these credentials; the client can renew them' }
    }
    const shortens = decision.kind === 'repair' && decision.rule.startsWith('shorten-old-results')
    if (shortens && fault.kind === 'context-overflow' && this.#isNew('history')) {
      return { kind: 'fail', reason: 'The conversation does not fit the window; the client can compact it' }
    }
    return decision
  }

  /** Whether the client has not heard yet that this one is refused. From now on it has. */
  #isNew(what: keyof Replaceable): boolean {
    const asked = this.#asked[what]
    if (asked === undefined || asked === this.#told[what]) return false
    this.#told[what] = asked
    return true
  }
}

/** A digest, so that no credentials are kept. */
function digestOf(headers: Headers): string {
  const own = ['x-api-key', 'authorization'].map((name) => headers.get(name))
  return createHash('sha256').update(JSON.stringify(own)).digest('base64')
}
