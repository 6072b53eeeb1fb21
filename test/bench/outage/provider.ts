/**
 * A provider in this process and on virtual time: it answers within seconds, unless the outage has a fault for the
 * request. The outages are the lab's own data, and so are the bytes.
 *
 * 1. Everything sent is in `sent`, in order.
 * 2. Some of the requests are checked by the lab's rules, and refused as by the API.
 */
import type { Clock, WireRequest } from '@lastgood/core'
import { seededRandom } from '@lastgood/core/testing'
import { checkRequest, createLab, reply, text, type Fault, type Outage } from '@lastgood/outage-lab'
import { recordAll, withIds, type Said } from './recordings.ts'
import type { Sent } from './traffic.ts'

export interface ProviderOptions {
  readonly clock: Clock
  /** Windows count from the instant at which the provider begins. */
  readonly outages: readonly Outage[]
  readonly seed: number
  /** One of this many requests is checked. */
  readonly judgeEvery: number
  /** Called with each request of a real session as it leaves. */
  readonly onFetch: (session: number, model: string) => void
}

/** How one request ends. */
export interface Outcome {
  readonly fault: Fault | undefined
  /** Until the answer, the refusal or the break. A stall begins then. */
  readonly afterMs: number
  /** To be called when the answer is whole. */
  answered(): void
}

export interface Provider {
  readonly sent: readonly Sent[]
  /** Requests that broke a rule of the API. */
  readonly invalid: readonly string[]
  /** For simulated clients: what happens to a request, without its bytes. */
  send(session: number, model: string): Outcome
  /** For real sessions. */
  fetch(session: number, request: WireRequest, said: Said): Promise<Response>
}

const pingEveryMs = 15_000

export async function createProvider({
  clock,
  outages,
  seed,
  judgeEvery,
  onFetch,
}: ProviderOptions): Promise<Provider> {
  const startedAt = clock.now()
  const random = seededRandom(seed)
  const between = (low: number, high: number) => Math.round(low + random() * (high - low))
  const sent: Sent[] = []
  const invalid: string[] = []
  const lab = createLab({ model: () => reply(text('Done.')) })
  const recordings = await recordAll(outages)

  /** The fault that the outages have for a request now. */
  function faultNow(model: string): Fault | undefined {
    const since = clock.now() - startedAt
    const outage = outages.find(({ when }) => {
      if (!('window' in when) || since < when.window[0] || since >= (when.window[1] ?? Infinity)) return false
      return (when.model ?? model) === model && random() < (when.rate ?? 1)
    })
    if (!outage) return undefined
    if (!('oneOf' in outage.fault)) return outage.fault
    const { oneOf } = outage.fault
    let left = random() * oneOf.reduce((sum, { weight }) => sum + weight, 0)
    return (oneOf.find(({ weight }) => (left -= weight) < 0) ?? oneOf[0])?.fault
  }

  function send(session: number, model: string): Outcome {
    const fault = faultNow(model)
    const one: Sent = { at: clock.now(), session, failed: fault !== undefined }
    sent.push(one)
    return { fault, afterMs: latencyMs(fault), answered: () => (one.answeredAt = clock.now()) }
  }

  function latencyMs(fault: Fault | undefined): number {
    if (!fault) return between(3000, 13_000)
    if (fault.kind === 'cut' || fault.kind === 'error-event') return between(1500, 6500)
    return between(200, 1000)
  }

  return {
    sent,
    invalid,
    send,

    async fetch(session, request, said) {
      if (request.method === 'GET') return lab.fetch(request.url, request as RequestInit)
      const body = JSON.parse(String(request.body)) as { model: string }
      onFetch(session, body.model)
      const outcome = send(session, body.model)
      const { fault, afterMs } = outcome
      const signal = request.signal ?? undefined
      await clock.sleepUntil(clock.now() + afterMs, signal && { signal })
      if (fault?.kind === 'stall') return stalled(said, fault, signal)
      const recording = recordings(said, fault)
      if (recording.kind === 'error') throw new TypeError('fetch failed', { cause: recording.cause })
      const { status, headers } = recording
      if (fault) return new Response(recording.body, { status, headers })
      const wrong = sent.length % judgeEvery === 0 ? judge(body, request.headers) : undefined
      if (wrong) {
        invalid.push(wrong.message)
        return Response.json({ type: 'error', error: { type: wrong.type, message: wrong.message } }, wrong)
      }
      outcome.answered()
      return new Response(withIds(recording.body, `${session}_${sent.length}`), { status, headers })
    },
  }

  /** Silence, or pings, until the client gives up. */
  async function stalled(
    said: Said,
    fault: Extract<Fault, { kind: 'stall' }>,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const recording = recordings(said, fault)
    if (fault.after === 'before-headers' || recording.kind !== 'answer') return aborted(signal)
    const encoder = new TextEncoder()
    const stream = new ReadableStream<Uint8Array>({
      async start(controller) {
        if (recording.body) controller.enqueue(encoder.encode(recording.body))
        try {
          while (fault.pings) {
            await clock.sleepUntil(clock.now() + pingEveryMs, { background: true, ...(signal && { signal }) })
            controller.enqueue(encoder.encode('event: ping\ndata: {"type":"ping"}\n\n'))
          }
          await aborted(signal)
        } catch (error) {
          controller.error(error)
        }
      },
    })
    return new Response(stream, { status: 200, headers: recording.headers })
  }
}

function judge(body: object, headers: Headers) {
  const betas = headers.get('anthropic-beta')?.split(',') ?? []
  return checkRequest(body, { version: headers.get('anthropic-version') ?? '', betas })
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) reject(signal.reason as Error)
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}
