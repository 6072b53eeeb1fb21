/** Headers with credentials, as whoever gives them gave them. */
import { LastgoodError } from '../errors.ts'

/** Errors: `bad-option` for what no header can have. `whose`: as in `credentials for https://…`. */
export function credentialHeaders(given: Readonly<Record<string, string>>, whose = 'credentials'): Headers {
  try {
    return new Headers(given)
  } catch {
    // Without its cause, which quotes them.
    throw new LastgoodError('bad-option', `${whose} are no header value`, {
      hint: 'give them on one line, in ASCII',
      details: { field: 'credentials' },
    })
  }
}
