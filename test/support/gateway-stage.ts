/** A gateway in front of the lab, and the ways to ask it. */
import Anthropic from '@anthropic-ai/sdk'
import { memoryStore, type Store } from '@lastgood/core'
import { createGateway, type GatewayOptions } from '@lastgood/gateway'
import { startLab, type LabOptions } from '@lastgood/outage-lab'
import { onTestFinished } from 'vitest'
import { countingStory } from './counting-story.ts'
import { jumpingClock } from './harness.ts'

export interface SetUp {
  lab?: Partial<LabOptions>
  gateway?: GatewayOptions
  headers?: Record<string, string>
}

export async function setUp({ lab: labOptions = {}, gateway: options = {}, headers = {} }: SetUp = {}) {
  const lab = await startLab({ model: countingStory, ...labOptions })
  const store = options.store ?? memoryStore()
  // `drainMs: 0`: answers that a test does not read are not waited for.
  const gateway = createGateway({ upstream: lab.url, clock: jumpingClock(), drainMs: 0, ...options, store })
  onTestFinished(async () => {
    await lab.close()
    await gateway.close()
  })
  const client = new Anthropic({
    baseURL: 'http://127.0.0.1:4141',
    apiKey: 'sk-ant-test',
    logLevel: 'off',
    defaultHeaders: headers,
    fetch: (input, init) => gateway.fetch(new Request(input as string, init as RequestInit)),
  })
  return { lab, store, gateway, client }
}

export const named = { 'x-lastgood-session': 'ses' }

export async function idsOf(store: Store): Promise<string[]> {
  const ids: string[] = []
  for await (const { head } of store.list()) ids.push(head.sessionId)
  return ids.sort()
}

/** A request as a client of any kind sends it. */
export function post(
  gateway: { fetch(request: Request): Promise<Response> },
  body: object,
  init: { path?: string; headers?: Record<string, string>; signal?: AbortSignal } = {},
) {
  const { path = '/v1/messages', headers, ...rest } = init
  return gateway.fetch(
    new Request(`http://127.0.0.1:4141${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'anthropic-version': '2023-06-01',
        'x-api-key': 'sk-ant-test',
        ...headers,
      },
      body: JSON.stringify(body),
      ...rest,
    }),
  )
}

export const hello = { model: 'claude-opus-5-5', max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }] }
export const failing = (status: number, to = Infinity) => ({
  when: { requests: [1, to] as [number, number] },
  fault: { kind: 'status' as const, status },
})
/** Gives up at once. */
export const impatient = { policy: { maxAttempts: 1 } }
