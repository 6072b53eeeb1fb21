/** Shared by the tests: a lab that is closed even if its test fails, and clients that show what really arrives. */
import { request as httpRequest } from 'node:http'
import Anthropic from '@anthropic-ai/sdk'
import { onTestFinished } from 'vitest'
import { reply, startLab, story, text, thinking, toolUse, type Fault, type Lab, type LabOptions } from './index.ts'

export const TOOLS = [{ name: 'read', description: 'Reads a file', input_schema: { type: 'object' as const } }]
const FIRST = reply([
  thinking('Hm, let me look at the file before I say anything.'),
  text('Looking at the file that you named.'),
  toolUse('read', { path: 'src/a-long-name.ts' }),
])
export const ASK = {
  model: 'claude-opus-5-5',
  max_tokens: 1000,
  tools: TOOLS,
  messages: [{ role: 'user' as const, content: 'Fix it.' }],
}

export async function openLab(options: Partial<LabOptions> = {}): Promise<{ lab: Lab; client: Anthropic }> {
  const lab = await startLab({ model: story([FIRST, reply(text('Done.'))]), ...options })
  onTestFinished(() => lab.close())
  return { lab, client: new Anthropic({ baseURL: lab.url, apiKey: 'sk-test', maxRetries: 0, logLevel: 'off' }) }
}

/** A lab whose first request meets the fault. */
export function openFaulty(fault: Fault, options: Partial<LabOptions> = {}): Promise<{ lab: Lab; client: Anthropic }> {
  return openLab({ outages: [{ when: { request: 1 }, fault }], ...options })
}

export interface Received {
  readonly status: number | undefined
  readonly headers: { readonly [name: string]: unknown }
  readonly body: Buffer
  /** The body ended properly by HTTP. */
  readonly clean: boolean
  readonly error: string | undefined
}

/** One request over a plain socket: every byte that arrived, and how it ended. */
export function send(
  lab: Lab,
  body: unknown,
  init: {
    readonly method?: string
    readonly path?: string
    readonly headers?: { readonly [name: string]: string }
  } = {},
): Promise<Received> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const headers = {
      'x-api-key': 'sk-test',
      'anthropic-version': '2023-06-01',
      'content-type': 'application/json',
      ...init.headers,
    }
    const outgoing = httpRequest(
      lab.url + (init.path ?? '/v1/messages'),
      { method: init.method ?? 'POST', headers, agent: false },
      (response) => {
        const finish = (error?: string): void =>
          resolve({
            status: response.statusCode,
            headers: response.headers,
            body: Buffer.concat(chunks),
            clean: response.complete,
            error,
          })
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => finish())
        response.on('error', (error: NodeJS.ErrnoException) => finish(error.code))
      },
    )
    let answered = false
    outgoing.on('response', () => (answered = true))
    outgoing.on(
      'error',
      (error: NodeJS.ErrnoException) =>
        answered || resolve({ status: undefined, headers: {}, body: Buffer.alloc(0), clean: false, error: error.code }),
    )
    outgoing.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body))
  })
}

/** The events of a stream before it ended, and the error that ended it. */
export async function collect(
  client: Anthropic,
  params: Anthropic.MessageCreateParamsNonStreaming = ASK,
): Promise<{ readonly events: readonly string[]; readonly error: unknown }> {
  const events: string[] = []
  try {
    for await (const event of await client.messages.create({ ...params, stream: true })) events.push(event.type)
    return { events, error: undefined }
  } catch (error) {
    return { events, error }
  }
}
