/**
 * A lab: one state and one way to answer, behind a function like fetch and, if it listens, an HTTP server.
 * 1. `close` ends every connection, stalled ones too, and returns when the port is free.
 * 2. An error inside the lab is a 500 with its text and never takes the process down.
 */
import { createServer } from 'node:http'
import type { PromptCache } from './cache.ts'
import { handle } from './endpoints.ts'
import type { Exchange, Incoming } from './exchange.ts'
import { fetchExchange, readFetch } from './fetch-exchange.ts'
import { resolveOptions, type LabOptions } from './options.ts'
import type { Outage } from './outage.ts'
import type { RecordedRequest } from './record.ts'
import { readIncoming, socketExchange } from './socket-exchange.ts'
import { createState, type LabState } from './state.ts'
import { STATUS_SUMMARY } from './status-page.ts'

export interface LocalLab extends AsyncDisposable {
  /** For `baseURL` or ANTHROPIC_BASE_URL. */
  readonly url: string
  /** The summary of the status page. */
  readonly statusUrl: string
  /** Answers in the process: for `new Anthropic({ fetch })`, on any host name. Same state, same requests. */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>
  /** Everything received, in order. */
  readonly requests: readonly RecordedRequest[]
  /** When it was started, by its `now`; windows of outages and incidents count from then. */
  readonly startedAt: number
  readonly cache: PromptCache
  /** Replaces the outage script from now on; request numbers and windows continue. */
  setOutages(outages: readonly Outage[]): void
  close(): Promise<void>
}

/** A lab that listens: its `url` is `http://127.0.0.1:<port>`. */
export interface Lab extends LocalLab {
  readonly port: number
}

const LOCAL_URL = 'http://outage-lab.test'

/** A lab without a socket and, with `now` and `sleep`, without real time. `port` and `host` mean nothing here. */
export function createLab(options: LabOptions): LocalLab {
  return localLab(createState(resolveOptions(options)))
}

export async function startLab(options: LabOptions): Promise<Lab> {
  const resolved = resolveOptions(options)
  const state = createState(resolved)
  const server = createServer((request, response) => {
    void answer(state, readIncoming(request), socketExchange(request, response, resolved.sleep))
  })
  server.requestTimeout = 0
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(resolved.port, resolved.host, resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : resolved.port
  const local = localLab(state, `http://${resolved.host}:${port}`)
  const close = async (): Promise<void> => {
    await local.close()
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    await closed
  }
  return { ...local, port, close, [Symbol.asyncDispose]: close }
}

function localLab(state: LabState, url = LOCAL_URL): LocalLab {
  const drops = new Set<() => void>()
  const close = async (): Promise<void> => {
    for (const drop of drops) drop()
  }
  return {
    url,
    statusUrl: url + STATUS_SUMMARY,
    requests: state.requests,
    startedAt: state.startedAt,
    cache: state.cache,
    async fetch(input, init) {
      init?.signal?.throwIfAborted()
      const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined)
      const incoming = await readFetch(input, init)
      const { exchange, response, drop } = fetchExchange(incoming.method, signal, state.options.sleep)
      drops.add(drop)
      void answer(state, incoming, exchange).finally(() => drops.delete(drop))
      return response
    },
    setOutages: (outages) => state.setOutages(outages),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function answer(state: LabState, incoming: Incoming, exchange: Exchange): Promise<void> {
  try {
    await handle(state, incoming, exchange)
  } catch (cause) {
    // The client left while its body was read: not the lab's error.
    if (exchange.gone) return
    if (exchange.begun) await exchange.reset()
    else await exchange.answer(500, { 'content-type': 'text/plain' }, `outage-lab failed: ${String(cause)}`)
  }
}
