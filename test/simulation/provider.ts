/**
 * The provider: an outage lab in this process, on the world's time, with outages by the seed. What it was asked and
 * what it answered is its own ledger, `lab.requests`.
 */
import { createLab, type CutPoint, type Fault, type LocalLab, type Outage } from '@lastgood/outage-lab'
import type { Process } from './process.ts'
import { worker } from './task.ts'
import type { World } from './world.ts'

export const models = ['claude-opus-5-5', 'claude-sonnet-5-5'] as const

/** How an answer may end before its task is done. */
const ends = ['refusal', 'pause_turn', 'max_tokens', 'model_context_window_exceeded'] as const

/** How long an answer may stay away; lastgood's own limits are shorter. */
const foreverMs = 3_600_000

export function openProvider(world: World, seed: number): LocalLab {
  /** In the middle, inside a block, at the very end, or where a text is whole and no call has begun. */
  const somewhere = () =>
    world.pick<CutPoint>([
      { afterBlock: 1 },
      { afterBlock: 1 },
      { events: world.below(14) },
      { events: world.below(14) },
      { inside: world.pick(['text', 'tool_use', 'thinking']) },
      { before: world.pick(['message_delta', 'message_stop']) },
      { bytes: world.below(3_000) },
    ])
  const status = (status: number, headers?: Record<string, string>): Fault => ({
    kind: 'status',
    status,
    ...(headers && { headers }),
  })
  const faults: (() => Fault)[] = [
    () => status(500),
    () => status(529),
    () => status(429, { 'retry-after': `${1 + world.below(90)}` }),
    () => status(world.pick([401, 402, 403, 404, 408, 409, 413, 502, 504])),
    () => status(500, { 'x-should-retry': 'false' }),
    () => ({ kind: 'html', status: world.pick([200, 502]) }),
    () => ({ kind: 'json-error' }),
    () => ({ kind: 'empty' }),
    () => ({ kind: 'reset', at: world.pick(['before-headers', 'after-headers']) }),
    () => ({ kind: 'cut', after: somewhere(), how: world.pick(['reset', 'close', 'end']) }),
    () => ({ kind: 'bad-event', after: somewhere() }),
    () => ({
      kind: 'error-event',
      after: world.chance(0.2) ? 'start' : somewhere(),
      type: world.pick(['overloaded_error', 'api_error']),
      message: 'Overloaded',
    }),
    () => ({
      kind: 'stall',
      after: world.chance(0.2) ? world.pick(['headers', 'before-headers']) : somewhere(),
      pings: world.chance(0.5),
      forMs: foreverMs,
    }),
    () => ({ kind: 'delay', ms: world.below(50_000), headers: world.chance(0.5) }),
    () => ({ kind: 'withdrawn' }),
  ]
  const ended = (): Fault => ({ kind: 'ended', stopReason: world.pick(ends), blocks: world.below(5) })
  /** Single faults and early ends, and one outage that hits most requests for a while. */
  const outages: Outage[] = Array.from({ length: world.below(12) }, () => ({
    when: { request: 1 + world.below(40) },
    fault: world.chance(0.2) ? ended() : world.pick(faults)(),
  }))
  if (world.chance(0.4)) {
    const beginsAt = world.below(120_000)
    const window: [number, number] = [beginsAt, beginsAt + world.below(900_000)]
    outages.push({ when: { window, rate: 0.8, model: models[0] }, fault: world.pick(faults)() })
  }
  const refusal = (message: string): Fault => ({ kind: 'status', status: 400, type: 'invalid_request_error', message })
  outages.push({
    when: { requests: [1, null], contains: 'iVBORw', rate: 0.3 },
    fault: refusal('Could not process image'),
  })
  if (world.chance(0.25))
    outages.push({
      when: { requests: [1, null], contains: '"type":"thinking"', rate: world.pick([0.1, 0.5]) },
      fault: refusal('messages.1.content.0: Invalid `signature` in `thinking` block'),
    })
  if (world.chance(0.25))
    outages.push({
      when: { requests: [1, null], contains: '"max_tokens":2000', model: world.pick(models) },
      fault: refusal('max_tokens: 2000 > 1500, which is the maximum allowed number of output tokens for the model'),
    })
  return createLab({
    model: worker,
    outages,
    seed,
    toolIds: 'fresh',
    chunkDelayMs: world.chance(0.3) ? 200 : 0,
    now: () => world.clock.now(),
    sleep: (ms, signal) => world.clock.sleepUntil(world.clock.now() + ms, { signal }).catch(() => {}),
  })
}

export interface Asking {
  model: string
  max_tokens: number
  messages: { role: string; content: string }[]
  tools?: unknown
}

/** Tells which request of a conversation it is, by its place in the referee's list. */
export const askedHeader = 'x-simulated'

/** How a process reaches the provider; `arrives` is told of each request of the conversation as it does, and numbers it. */
export function reach(lab: LocalLab, process: Process, arrives: (body: Asking) => number): typeof fetch {
  const { world, name } = process
  // With an end, or the SDK's timer of the request would hold this world for ten minutes.
  const died = process.death.then(() => Promise.reject(new TypeError('fetch failed')))
  died.catch(() => {})
  return (input, init) => {
    const answered = process.contact(async () => {
      await world.sleep(world.below(30))
      const body = typeof init?.body === 'string' ? (JSON.parse(init.body) as Asking) : undefined
      // A ping, to learn whether the model answers at all, and a title are no part of a conversation.
      const headers = new Headers(init?.headers)
      if (body?.tools) headers.set(askedHeader, `${arrives(body)}`)
      const n = lab.requests.length + 1
      world.tell(name, `request ${n}: ${body?.model ?? 'about models'}, ${body?.messages.length ?? 0} messages`)
      const response = await lab.fetch(input as string, { ...init, headers })
      world.tell(name, `request ${n}: ${response.status}`)
      return response
    })
    return Promise.race([answered, died])
  }
}
