/**
 * Which of the rights that the store needs the user of a client lacks: a finding, with the line that grants them.
 *
 * 1. The server is only asked: no key is read or written.
 * 2. In a Cluster each master has users of its own, so each of them is asked.
 */
import { shellWord } from '@lastgood/core'
import type { RedisLike } from './client.ts'
import { commands } from './commands.ts'
import { isForbidden, isUnknownCommand } from './failure.ts'
import type { Draft } from './finding-rules.ts'
import type { Keys } from './keys.ts'

/** What a user may have to run; the README lists the same. */
const needed =
  'select evalsha eval time hget hmget hset hdel hscan llen lrange rpush unlink zadd zscan zscore zrem info'.split(' ')

type Reply =
  | readonly [kind: 'unknown']
  | readonly [kind: 'known', keys: readonly string[], commands: readonly string[], absent: readonly string[]]

/** `nameOf`: a key as the server knows it. */
export async function rightsDrafts(client: RedisLike, keys: Keys, nameOf: (key: string) => string): Promise<Draft[]> {
  const user = userOf(client)
  const all = [`~${nameOf(keys.pattern)}`, ...needed.map(right)]
  const ofSession = [keys.session('s'), keys.journal('s'), keys.blobs('s')]
  try {
    const names = [...ofSession, keys.index, keys.shared].map(nameOf)
    const reply = (await client.eval(commands.rights.source, 0, ...names)) as Reply
    if (reply[0] === 'unknown') return user === 'default' ? [] : [untold(user)]
    const [, refused, forbidden, absent] = reply
    const [place] = refused.length > 0 ? all : []
    const lacked = [...(place === undefined ? [] : [place]), ...forbidden.map(right)]
    return [
      ...(lacked.length > 0 ? [lacking(user, lacked, place === undefined ? lacked : all)] : []),
      ...(absent.length > 0 ? [missing(absent)] : []),
    ]
  } catch (error) {
    if (isUnknownCommand(error)) return [missing(['eval'])]
    if (isForbidden(error)) return [lacking(user, [right('eval')], all)]
    throw error
  }
}

export const userOf = ({ options }: RedisLike): string => options.username || 'default'

const right = (command: string): string => `+${command}`

/** As `lastgood doctor` says it of any store that cannot be used: it tells that once. */
const unusable = 'no session can be recorded, so none can start or continue (P5)'

/** `grants`: all that is lacked, and what could not be asked about because of it. */
function lacking(user: string, lacked: readonly string[], grants: readonly string[]): Draft {
  return {
    severity: 'danger',
    what: `the user ${user} lacks rights of the store: ${lacked.join(' ')}`,
    risk: unusable,
    mend: (cli) => [cli, 'ACL SETUSER', ...[user, ...grants].map(shellWord)].join(' '),
  }
}

const missing = (absent: readonly string[]): Draft => ({
  severity: 'danger',
  what: `the server does not have: ${absent.join(', ')} (renamed, disabled, or a proxy in front of it)`,
  risk: unusable,
  mend: () => 'take its rename-command out of the configuration of the server, or use one that has it',
})

const untold = (user: string): Draft => ({
  severity: 'info',
  what: `a server before Redis 7 does not tell which rights the user ${user} lacks`,
  risk: 'P5: what it may not do is refused (NOPERM) only when it is tried',
  mend: (cli) => `compare it with the README of @lastgood/redis: ${cli} ACL GETUSER ${shellWord(user)}`,
})
