/**
 * A failed command as an error for the caller: always `store-unavailable`, with the next thing to check.
 *
 * 1. No payload, key content or password reaches the error: errors of ioredis carry the whole command, so only their
 *    kind and their shortened text are kept.
 * 2. A failed append may have been applied. That is no special case: the same append again is acknowledged.
 */
import { LastgoodError, shellWord, withoutSecrets } from '@lastgood/core'

/**
 * `reason`: why there is no connection, if known; the error of the command says only that there is none, or that its time
 * was over before there was one.
 */
export function storeUnavailable(error: unknown, location: string, reason?: unknown): LastgoodError {
  const known = kindOf(error)
  const isWithoutReason = known === noConnection || known === noAnswer
  if (reason !== undefined && isWithoutReason && kindOf(reason) !== undefined) return storeUnavailable(reason, location)
  const { name, code, text } = describe(error)
  const problem = known?.problem ?? 'it refused a command'
  const hint = known?.hint ?? (() => 'read the cause and the server log')
  const cause = Object.assign(new Error(text), { name, ...(code === '' ? {} : { code }) })
  return new LastgoodError('store-unavailable', `the store at ${location} cannot answer: ${problem}`, {
    hint: hint(location),
    cause,
    details: { location, ...(code === '' ? {} : { code }) },
  })
}

/** Whether the server does not have the script: it was restarted or flushed, or another node answered. */
export function isMissingScript(error: unknown): boolean {
  return describe(error).code === 'NOSCRIPT'
}

/** Whether the server does not know the command, or this user may not run it. */
export function isForbidden(error: unknown): boolean {
  return describe(error).code === 'NOPERM' || isUnknownCommand(error)
}

export function isUnknownCommand(error: unknown): boolean {
  return /^ERR unknown (sub)?command/i.test(describe(error).text)
}

function kindOf(error: unknown): Kind | undefined {
  const { code, text } = describe(error)
  return kinds.find(({ match }) => (typeof match === 'string' ? match === code : match.test(`${code} ${text}`)))
}

interface Kind {
  /** The code of the server or of the system, or a pattern over the code and the text. */
  match: string | RegExp
  problem: string
  hint: (location: string) => string
}

const isAddress = (location: string): boolean => /^rediss?:/.test(location)
const ping = (location: string): string => {
  const isSecure = location.startsWith('rediss')
  const check = `check that a Redis server is up there and reachable from here${isSecure ? ', and that it speaks TLS' : ''}`
  return isAddress(location)
    ? `${check}: redis-cli -u ${shellWord(location)}${isSecure ? ' --cacert <file>' : ''} ping`
    : check
}
/** `host:port`, or a placeholder for it. */
const hostOf = (location: string): string => {
  const [, host] = /^[a-z+]+:\/\/([^/]+)/.exec(location) ?? []
  return host === undefined ? '<host:port>' : shellWord(host)
}
/** A hint to try again, with a command to run if that does not help. */
const soonOr =
  (command: string, what: string) =>
  (location: string): string =>
    `try again in a moment; if it persists: redis-cli ${isAddress(location) ? `-u ${shellWord(location)} ` : ''}${command} ${what}`
const credentials = (): string => 'check the user and the password of the client'
const rights = (location: string): string => {
  const store = location.replace('://', '://<user>:<password>@')
  return `see which right is missing, and the ACL line that grants it: lastgood doctor${isAddress(location) ? ` --store ${shellWord(store)}` : ''}`
}
const soon = (): string => 'try again in a moment; if it persists, look at the server log'

const noConnection: Kind = {
  match:
    /\bE(?!RR)[A-Z_]{4,}\b|max retries per request|Connection is closed|connection close|isn't writeable|isn't ready|startup nodes|slots cache|disconnect|unreachable|Socket timeout/i,
  problem: 'no connection',
  hint: ping,
}

const noAnswer: Kind = {
  match: /Command timed out/,
  problem: 'it did not answer in time',
  hint: () => 'it may have done it anyway; retrying is safe. If it persists, check its load and commandTimeout',
}

const kinds: readonly Kind[] = [
  {
    match: 'OOM',
    problem: 'its memory is full',
    hint: () =>
      'free memory (lastgood prune removes what is no longer needed) or raise maxmemory; keep maxmemory-policy noeviction',
  },
  {
    match: 'READONLY',
    problem: 'it is a replica and takes no writes',
    hint: () => 'connect to the master, or through Sentinel',
  },
  { match: 'LOADING', problem: 'it is loading its data', hint: soon },
  {
    match: 'BUSY',
    problem: 'a script of another client keeps it busy',
    hint: soonOr('script kill', 'ends a script that has written nothing'),
  },
  { match: 'MASTERDOWN', problem: 'its master is down', hint: soon },
  {
    match: 'NOREPLICAS',
    problem: 'too few replicas are connected',
    hint: soonOr('info replication', 'shows which are; the setting is min-replicas-to-write'),
  },
  {
    match: 'MISCONF',
    problem: 'it cannot save to disk',
    hint: () => 'free disk space on the server and look at its log',
  },
  {
    match: 'WRONGTYPE',
    problem: 'a key holds data that lastgood did not write',
    hint: () => 'another application uses the same keys: give lastgood its own prefix or database',
  },
  {
    match: /DB index is out of range|SELECT is not allowed/,
    problem: 'it has no such database',
    hint: () => 'name one that it has, or none: a prefix also keeps applications apart',
  },
  { match: 'NOAUTH', problem: 'it requires a password', hint: credentials },
  { match: 'WRONGPASS', problem: 'it refused the password', hint: credentials },
  // Without these a client has no connection, so nobody can ask what else the user lacks.
  {
    match: /^NOPERM .*'(select|cluster\S*)' command/,
    problem: 'the user is not allowed what a client needs to connect',
    hint: (location) =>
      `grant it: redis-cli ${isAddress(location) ? `-u ${shellWord(location)} ` : ''}ACL SETUSER <user> +select '+cluster|slots' '+cluster|info'`,
  },
  // Inside a script, neither Redis 7, nor Redis 8 and Valkey 8 with their other words, give a code.
  {
    match: /^NOPERM |The user executing the script can't|ACL failure in script/,
    problem: 'the user is not allowed a command or a key',
    hint: rights,
  },
  {
    match: /^(CLUSTERDOWN|TRYAGAIN|MOVED|ASK) |Too many Cluster redirections/,
    problem: 'the cluster is moving or has lost nodes',
    hint: soonOr('cluster nodes', 'shows which are missing'),
  },
  noAnswer,
  {
    match: /No such master with that name/,
    problem: 'the sentinels know no group of that name',
    hint: () =>
      'check the name of the client; those that there are: redis-cli -p <port of a sentinel> sentinel masters',
  },
  {
    match: /certificate|altnames/i,
    problem: 'the client does not trust its certificate',
    hint: (location) =>
      `give the client the authority that signed it (tls: { ca: … }) and the host that it names; to see it: openssl s_client -connect ${hostOf(location)}`,
  },
  noConnection,
]

function describe(error: unknown): { name: string; code: string; text: string } {
  if (!(error instanceof Error)) return { name: 'Error', code: '', text: 'unknown' }
  const [line = ''] = error.message.split('\n', 1)
  // The server quotes the arguments of an unknown command, the client an unexpected reply.
  const text = withoutSecrets(line.replace(/(,? with args beginning with|\. Last reply:).*/, '')).slice(0, 200)
  // Before Redis 7, the error of a command inside a script follows its position in the script.
  const inScript = /@user_script: ?\d+: -?([A-Z]+) /.exec(text)?.[1]
  const fromServer = /^([A-Z]+) /.exec(text)?.[1]
  const fromSystem = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return { name: error.name, code: inScript ?? fromServer ?? fromSystem, text }
}
