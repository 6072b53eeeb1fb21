/**
 * A running lab: an HTTP server on a loopback port.
 * 1. `close` ends every connection, also the stalled ones, and returns when the port is free.
 * 2. An error inside the lab is a 500 with its text and never takes the process down.
 */
import { createServer } from 'node:http'
import type { PromptCache } from './cache.ts'
import { handle } from './endpoints.ts'
import { Exchange } from './exchange.ts'
import { resolveOptions, type LabOptions } from './options.ts'
import type { Outage } from './outage.ts'
import type { RecordedRequest } from './record.ts'
import { createState } from './state.ts'

export interface Lab extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, for `baseURL` or ANTHROPIC_BASE_URL. */
  readonly url: string
  readonly port: number
  /** Everything received, in order. */
  readonly requests: readonly RecordedRequest[]
  readonly cache: PromptCache
  /** Another outage script from now on; request numbers and windows go on counting. */
  setOutages(outages: readonly Outage[]): void
  close(): Promise<void>
}

export async function startLab(options: LabOptions): Promise<Lab> {
  const resolved = resolveOptions(options)
  const state = createState(resolved)
  const server = createServer((request, response) => {
    const exchange = new Exchange(request, response, resolved.sleep)
    handle(state, request, exchange).catch(async (cause: unknown) => {
      // A client that left while its body was read is no fault of ours.
      if (exchange.gone || response.headersSent) return
      await exchange.answer(500, { 'content-type': 'text/plain' }, `outage-lab failed: ${String(cause)}`)
    })
  })
  server.requestTimeout = 0
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(resolved.port, resolved.host, resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : resolved.port
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    await closed
  }
  return {
    url: `http://${resolved.host}:${port}`,
    port,
    requests: state.requests,
    cache: state.cache,
    setOutages: (outages) => state.setOutages(outages),
    close,
    [Symbol.asyncDispose]: close,
  }
}
