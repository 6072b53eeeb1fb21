/** Why a Redis server could not be connected to, and what to do about it. Pure. */
import { shellWord } from '@lastgood/core'

export interface RedisTrouble {
  /** Absent where the cause says it all. */
  readonly what?: string
  readonly hint: string
}

/** `address` without user and password. */
export function redisTrouble({ message, code }: NodeJS.ErrnoException, address: string): RedisTrouble {
  if (/DB index is out of range|SELECT is not allowed|'select' command/i.test(message)) {
    const hint = 'name another one in the address (redis://host:6379/0), or allow the user +select'
    return { what: 'the database was refused', hint }
  }
  if (/NOAUTH|WRONGPASS|NOPERM|invalid password/i.test(message)) {
    return { hint: 'check the user and the password in the address' }
  }
  if (/altnames/i.test(message)) {
    const hint = `connect to a host that it names; they are shown by: ${shown(address)} -ext subjectAltName`
    return { what: 'its certificate names another host', hint }
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    const hint = `renew it on the server, or set the clock right; its dates are shown by: ${shown(address)} -dates`
    return { what: 'its certificate is not valid today', hint }
  }
  if (/certificate/i.test(message)) {
    const hint =
      'name the file (PEM) of the authority that signed it in the environment: NODE_EXTRA_CA_CERTS=<file> lastgood …'
    return { what: 'its certificate is not one that is trusted here', hint }
  }
  return {
    hint: `check that the server is up: redis-cli -u ${shellWord(address)} ping; or choose another store with --store`,
  }
}

function shown(address: string): string {
  return `openssl s_client -connect ${shellWord(new URL(address).host)} </dev/null | openssl x509 -noout`
}
