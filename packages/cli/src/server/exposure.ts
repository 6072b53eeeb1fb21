/**
 * Who can reach a server of the command line, the gateway or the dashboard: this machine, unless its user says more.
 *
 * Any other address is served only if the names that it is called by are given, and either TLS and a token, or the
 * user's word that something in front of it takes care of both. The token is never an argument: others could read it.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { LastgoodError, shellWord } from '@lastgood/core'
import type { CliContext } from '../context.ts'

export interface ExposureOptions {
  host: string
  allowHost?: string[]
  tlsCert?: string
  tlsKey?: string
  tokenFile?: string
  behindProxy?: boolean
}

export interface Exposure {
  host: string
  /** Names accepted in the `Host` header besides those of loopback. */
  hosts: readonly string[]
  token: string | undefined
  tls: { cert: string; key: string } | undefined
  /** Something in front of it provides TLS and access control; clients call that. */
  isBehindProxy: boolean
}

/** For what serves this machine alone, such as the gateway of `lastgood run`. */
export const onlyHere: Exposure = {
  host: '127.0.0.1',
  hosts: [],
  token: undefined,
  tls: undefined,
  isBehindProxy: false,
}

const loopback: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '::1'])

/** Takes an address as it is, or as it stands in a URL. */
export const isLoopback = (host: string): boolean => loopback.has(host.replace(/^\[(.*)\]$/, '$1'))

/** Errors: `bad-option`, with the flag that is missing or the file that cannot be read. */
export function exposureOf(
  context: CliContext,
  options: ExposureOptions,
  tokenVariable = 'LASTGOOD_GATEWAY_TOKEN',
): Exposure {
  const { host, allowHost = [], tlsCert, tlsKey, tokenFile, behindProxy: isBehindProxy = false } = options
  const read = (flag: string, path: string) => fileOf(context, flag, path)
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    const missing = tlsCert === undefined ? '--tls-cert' : '--tls-key'
    throw bad(missing, `${missing} is missing: TLS needs a certificate and its key`, `add ${missing} <file>`)
  }
  const tls = tlsCert && tlsKey ? { cert: read('--tls-cert', tlsCert), key: read('--tls-key', tlsKey) } : undefined
  const token =
    tokenFile === undefined ? context.env[tokenVariable] || undefined : read('--token-file', tokenFile).trim()
  if (tokenFile !== undefined && token === '') {
    const hint = `make one: openssl rand -hex 32 > ${shellWord(tokenFile)}`
    throw bad('--token-file', `--token-file ${tokenFile} holds no token`, hint)
  }
  const noName = allowHost.find((name) => !isHostName(name))
  if (noName !== undefined) {
    const hint = 'give it as clients call it, without scheme and port: --allow-host lastgood.example'
    throw bad('--allow-host', `--allow-host ${noName} is not a host name`, hint)
  }
  if (!isLoopback(host)) {
    if (allowHost.length === 0) {
      const hint = 'name the hosts they call it by: --allow-host lastgood.example'
      throw bad('--host', `--host ${host} lets other machines in, without a host name`, hint)
    }
    if (!isBehindProxy && (!tls || token === undefined)) {
      const lacks = [...(tls ? [] : ['TLS']), ...(token === undefined ? ['a token'] : [])].join(' and ')
      throw bad(
        '--host',
        `--host ${host} lets other machines in, without ${lacks}`,
        'give it --tls-cert, --tls-key and --token-file, or say that a server in front provides both: --behind-proxy',
      )
    }
  }
  return { host, hosts: allowHost, token, tls, isBehindProxy }
}

/** As it stands in the address that is called. */
const isHostName = (name: string): boolean =>
  URL.canParse(`http://${name}`) && new URL(`http://${name}`).hostname === name.toLowerCase()

function fileOf({ cwd }: CliContext, flag: string, path: string): string {
  try {
    return readFileSync(resolve(cwd, path), 'utf8')
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'an error'
    throw bad(flag, `${flag} ${path} cannot be read (${code})`, `look at it: ls -l ${shellWord(path)}`, cause)
  }
}

function bad(field: string, message: string, hint: string, cause?: unknown): LastgoodError {
  return new LastgoodError('bad-option', message, { hint, details: { field }, cause })
}
