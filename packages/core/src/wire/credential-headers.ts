/** Headers with credentials, as they were given. */
import { LastgoodError } from '../errors.ts'

/** Errors: `bad-option` for what no header can hold. `whose`: as in `credentials for https://…`. */
export function credentialHeaders(given: Readonly<Record<string, string>>, whose = 'credentials'): Headers {
  try {
    return new Headers(given)
  } catch {
    // Without the cause, which quotes the credentials.
    throw new LastgoodError('bad-option', `${whose} are not a valid header value`, {
      hint: 'give them on one line, in ASCII',
      details: { field: 'credentials' },
    })
  }
}
