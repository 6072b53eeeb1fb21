/**
 * Refused credentials of a client that can renew them: their first refusal is passed to the client at once, in the
 * API's words, since only the client can act on it. A client that comes back with the same credentials has no others,
 * so from then on a refusal is handled as for any client: waited out if it looks like an outage of the login.
 * Claude Code is such a client: after a refusal it runs its `apiKeyHelper` again, or refreshes its login, and sends the
 * request again.
 */
import { createHash } from 'node:crypto'
import { decide } from '@lastgood/core'

export class Denials {
  /** Digest of the credentials of the request in hand, if they are its client's and can be renewed. */
  #asked: string | undefined
  #told: string | undefined

  /** `headers` hold the credentials of a client that can renew them; undefined for any other client. */
  asks(headers: Headers | undefined): void {
    this.#asked = headers && digestOf(headers)
  }

  readonly decide: typeof decide = (fault, history, policy) => {
    const isDenial = fault.kind === 'auth-blocked' || fault.kind === 'auth-outage'
    if (!isDenial || this.#asked === undefined || this.#asked === this.#told) return decide(fault, history, policy)
    this.#told = this.#asked
    return { kind: 'fail', reason: 'The API refused these credentials; the client can renew them' }
  }
}

/** A digest, so that no credentials are kept. */
function digestOf(headers: Headers): string {
  const own = ['x-api-key', 'authorization'].map((name) => headers.get(name))
  return createHash('sha256').update(JSON.stringify(own)).digest('base64')
}
