/**
 * The Messages API as Amazon Bedrock and Google's Vertex AI have it, in front of the lab: the model is in the path and
 * not in the body, the version is in the body, and Bedrock's streams are in frames of Amazon's own.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html,
 * https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai
 */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer as bytesOf } from 'node:stream/consumers'
import { crc32 } from 'node:zlib'
import type Anthropic from '@anthropic-ai/sdk'
import { AnthropicBedrock } from '@anthropic-ai/bedrock-sdk'
import { AnthropicVertex } from '@anthropic-ai/vertex-sdk'
import { startLab, type LabOptions } from '@lastgood/outage-lab'
import { onTestFinished } from 'vitest'
import { EventReader } from '../../packages/core/src/wire/sse.ts'
import { refusalOf, type Amazon } from './aws-signature.ts'

export type CloudName = 'bedrock' | 'vertex'

/** The model of the lab by the name that a cloud has for it. */
export const modelAt: Record<CloudName, string> = {
  bedrock: 'us.anthropic.claude-opus-5-5',
  vertex: 'claude-opus-5-5@20260901',
}

type More = Pick<BaseOptions, 'maxRetries' | 'defaultHeaders' | 'fetch'>
type BaseOptions = NonNullable<ConstructorParameters<typeof Anthropic>[0]>

/** The SDK's client for each, at `url`. */
export const clientAt = {
  bedrock: (url: string, more: More = {}) =>
    new AnthropicBedrock({ baseURL: url, awsRegion: 'us-east-1', apiKey: 'test', logLevel: 'off', ...more }),
  vertex: (url: string, more: More = {}) =>
    new AnthropicVertex({
      baseURL: `${url}/v1`,
      region: 'us-east5',
      projectId: 'test',
      authClient: { getRequestHeaders: async () => new Headers({ authorization: 'Bearer test' }) } as never,
      logLevel: 'off',
      ...more,
    }),
}

interface Asked {
  readonly cloud: CloudName
  readonly streams: boolean
  readonly model: string
}

/** `reached`: the paths that were asked for, with what `headers` had. `amazon`: what it takes signatures by. */
export async function startClouds(options: LabOptions, amazon?: Amazon) {
  const lab = await startLab(options)
  const reached: string[] = []
  const headers: IncomingHttpHeaders[] = []
  const server = createServer((request, response) => {
    reached.push(request.url ?? '')
    headers.push(request.headers)
    // What breaks at the lab breaks here.
    answer(request, response, lab.url, amazon).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await lab.close()
  })
  return { lab, reached, headers, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  api: string,
  amazon: Amazon | undefined,
): Promise<void> {
  const sent = await bytesOf(request)
  const refusal = amazon && refusalOf(request, sent, amazon)
  if (refusal) {
    response.setHeader('x-amzn-errortype', `${refusal.type}:http://internal.amazon.com/coral/`)
    return refuse(response, 403, refusal.message)
  }
  const asked = readPath(request.url ?? '')
  if (!asked) return void response.writeHead(404).end('<html><title>Error 404 (Not Found)</title></html>')
  const { cloud, model, streams } = asked
  const body = JSON.parse(sent.toString()) as Record<string, unknown>
  const { anthropic_version: version, anthropic_beta: ofBody, stream, ...rest } = body
  const isWellFormed = typeof version === 'string' && !('model' in body) && (cloud === 'vertex' || stream === undefined)
  if (!isWellFormed) return refuse(response, 400, `a body that ${cloud} does not know: ${Object.keys(body).join()}`)
  // Claude Code asks each model for a word, to see if it is there.
  if (body['max_tokens'] === 1) return void response.writeHead(200, { 'content-type': json }).end(JSON.stringify(aWord))
  // Claude Code names the version as the clouds did at first.
  const dated = version.replace(/^(vertex|bedrock)-.*/, '2023-06-01')
  const headers = { 'content-type': json, 'x-api-key': 'lab', 'anthropic-version': dated }
  // Bedrock reads them in the body.
  const betas = [cloud === 'bedrock' ? (ofBody as string[] | undefined) : request.headers['anthropic-beta']]
    .flat()
    .join()
  const served = await fetch(`${api}/v1/messages`, {
    method: 'POST',
    headers: { ...headers, ...(betas && { 'anthropic-beta': betas }) },
    body: JSON.stringify({ ...rest, model: labModel(model), ...(streams && { stream: true }) }),
  })
  if (!served.ok || !streams || cloud === 'vertex') {
    response.writeHead(served.status, { 'content-type': served.headers.get('content-type') ?? '' })
    for await (const piece of served.body ?? []) response.write(piece)
    return void response.end()
  }
  response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' })
  const events = new EventReader()
  for await (const piece of served.body ?? []) {
    for (const { event, data } of events.take(piece)) {
      if (event === 'error') return void response.end(exceptionFrame(data))
      response.write(chunkFrame(data))
    }
  }
  response.end()
}

const json = 'application/json'
const aWord = {
  id: 'msg_word',
  type: 'message',
  role: 'assistant',
  model: 'claude-opus-5-5',
  content: [{ type: 'text', text: 'Hi' }],
  stop_reason: 'max_tokens',
  usage: { input_tokens: 8, output_tokens: 1 },
}

function readPath(url: string): Asked | undefined {
  const { pathname } = new URL(url, 'http://cloud')
  const ofBedrock = /^\/model\/([^/]+)\/invoke(-with-response-stream)?$/.exec(pathname)
  if (ofBedrock) return { cloud: 'bedrock', model: decodeURIComponent(ofBedrock[1] ?? ''), streams: !!ofBedrock[2] }
  const ofVertex = /\/publishers\/anthropic\/models\/([^/:]+):(streamRawPredict|rawPredict)$/.exec(pathname)
  const [, model, verb] = ofVertex ?? []
  return model ? { cloud: 'vertex', model: decodeURIComponent(model), streams: verb === 'streamRawPredict' } : undefined
}

const labModel = (model: string): string => model.replace(/^us\.anthropic\./, '').replace(/[@:].*$/, '')

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': json }).end(JSON.stringify({ message }))
}

// -- Amazon's frames: https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html#streaming-event-stream

const chunkFrame = (data: string): Buffer =>
  frame({ ':message-type': 'event', ':event-type': 'chunk' }, { bytes: Buffer.from(data).toString('base64') })

function exceptionFrame(data: string): Buffer {
  const { error } = JSON.parse(data) as { error: { message: string } }
  const headers = { ':message-type': 'exception', ':exception-type': 'serviceUnavailableException' }
  return frame(headers, { message: error.message })
}

/** Lengths and their checksum, headers of type 7 (text), the payload, and the checksum of all of it. */
function frame(headers: Record<string, string>, payload: object): Buffer {
  const named = Object.entries({ ...headers, ':content-type': 'application/json' }).map(([name, value]) =>
    Buffer.concat([
      Buffer.from([name.length]),
      Buffer.from(name),
      Buffer.from([7]),
      uint(2, value.length),
      Buffer.from(value),
    ]),
  )
  const head = Buffer.concat(named)
  const body = Buffer.from(JSON.stringify(payload))
  const lengths = Buffer.concat([uint(4, 16 + head.length + body.length), uint(4, head.length)])
  const all = Buffer.concat([lengths, uint(4, crc32(lengths)), head, body])
  return Buffer.concat([all, uint(4, crc32(all))])
}

function uint(bytes: 2 | 4, value: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  buffer.writeUIntBE(value, 0, bytes)
  return buffer
}
