/**
 * How the gateway's requests leave: by `fetch`, without the time limits of its own that would end a long answer, since
 * the watchdog has those; and by the proxy that the environment names (`HTTPS_PROXY`, `NO_PROXY`).
 */
import type { Fetch } from '@lastgood/gateway'
import { EnvHttpProxyAgent, fetch } from 'undici'
import type { Env } from '../context.ts'

export interface UpstreamFetch {
  fetch: Fetch
  close(): Promise<void>
}

/** Long enough for the pauses between two turns; the API closes an idle connection when it likes. */
const keepAliveMs = 60_000

export function upstreamFetch(env: Env): UpstreamFetch {
  const of = (name: string) => env[name.toLowerCase()] ?? env[name] ?? ''
  const dispatcher = new EnvHttpProxyAgent({
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    httpProxy: of('HTTP_PROXY'),
    httpsProxy: of('HTTPS_PROXY'),
    noProxy: of('NO_PROXY'),
  })
  return {
    fetch: (input, init) => fetch(input, { ...init, dispatcher } as Parameters<typeof fetch>[1]),
    close: () => dispatcher.destroy(),
  }
}
