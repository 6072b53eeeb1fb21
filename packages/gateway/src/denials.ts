/**
 * Credentials that the API refuses, of a client that can renew its own: it is told of the first refusal of each at once, in
 * the API's words, since only it can do something about it. One that comes back with the same ones has no others, so from
 * then on a refusal is what it is to everybody else: waited out where it looks like an outage of the login. Claude Code can:
 * it runs its `apiKeyHelper` again, or refreshes its login, when it hears of a refusal, and sends the request again.
 */
import { createHash } from 'node:crypto'
import { decide } from '@lastgood/core'

export class Denials {
  /** Those of the request in hand, where they are its client's and can be renewed. */
  #asked: string | undefined
  #told: string | undefined

  /** `headers`: with the credentials of a client that can renew them; undefined for any other. */
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

/** No credentials are kept. */
function digestOf(headers: Headers): string {
  const own = ['x-api-key', 'authorization'].map((name) => headers.get(name))
  return createHash('sha256').update(JSON.stringify(own)).digest('base64')
}
