// Serves the built page with made-up documents, under the content security policy of the real server.

import { readFileSync, readdirSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Overview, OverviewChange, SessionDocument } from '@lastgood/dashboard'
import { stagedOutages } from './staged-outages.ts'

const files = join(import.meta.dirname, '../../../packages/dashboard/dist/page')
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}
const policy = "default-src 'self'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

export class StagedDashboard {
  readonly token = 'staged-token'
  /** Everything posted except logins. */
  readonly posts: { path: string; body: unknown }[] = []
  overview: Overview
  readonly sessions = new Map<string, SessionDocument>()
  /** If set, every action is refused with this. */
  refusal: { status: number; code: string; message: string; hint: string | null } | undefined
  /** How long reading a session takes. */
  slowMs = 0
  readonly #server = createServer((request, response) => void this.#answer(request, response))
  readonly #streams = new Set<ServerResponse>()
  #isDown = false
  /** While set, requests are accepted and not answered. */
  isStalled = false
  /** What `resume all` would resume. */
  stopped: readonly string[] = []

  constructor(overview: Overview, documents: readonly SessionDocument[] = []) {
    this.overview = overview
    for (const document of documents) this.sessions.set(document.card.sessionId, document)
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  async close(): Promise<void> {
    for (const stream of this.#streams) stream.destroy()
    await new Promise((resolve) => {
      this.#server.close(resolve)
      this.#server.closeAllConnections()
    })
  }

  /** Pages that follow the stream. */
  get viewers(): number {
    return this.#streams.size
  }

  change(change: OverviewChange): void {
    for (const stream of this.#streams) stream.write(`event: change\ndata: ${JSON.stringify(change)}\n\n`)
  }

  /** Every stream breaks. */
  cut(): void {
    for (const stream of this.#streams) stream.destroy()
  }

  /** Every stream breaks, and no request is answered until it comes back. */
  setDown(isDown: boolean): void {
    this.#isDown = isDown
    if (isDown) this.cut()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#isDown) return void request.socket.destroy()
    if (this.isStalled) return
    const { pathname: path, searchParams } = new URL(request.url ?? '/', this.url)
    if (!path.startsWith('/api/')) return this.#file(path, response)
    if (path === '/api/login') {
      const body = (await bodyOf(request)) as { token?: string }
      if (body.token !== this.token) return refuse(response, 401, 'bad-token', 'it is of an earlier start')
      response.writeHead(204, { 'set-cookie': 'staged=1; HttpOnly; SameSite=Strict; Path=/' }).end()
      return
    }
    if (!/\bstaged=1\b/.test(request.headers.cookie ?? '')) return refuse(response, 401, 'no-token', 'no token')
    if (request.method === 'POST') {
      this.posts.push({ path, body: await bodyOf(request) })
      const { refusal } = this
      if (refusal) return refuse(response, refusal.status, refusal.code, refusal.message, refusal.hint)
      return json(response, { text: 'It goes on in turn 5.', sessionId: 'fix-auth-tests' })
    }
    if (path === '/api/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`event: overview\ndata: ${JSON.stringify(this.overview)}\n\n`)
      this.#streams.add(response)
      response.on('close', () => this.#streams.delete(response))
      return
    }
    if (path === '/api/overview') return json(response, this.overview)
    if (path === '/api/resume-all')
      return json(response, { schema: 'lastgood.resume-all/v1', sessionIds: this.stopped })
    if (path === '/api/outages') return json(response, stagedOutages())
    const [, id, entry] = /^\/api\/sessions\/([^/]+)(\/entries\/\d+)?$/.exec(path) ?? []
    const document = id === undefined ? undefined : this.sessions.get(decodeURIComponent(id))
    if (!document) return refuse(response, 404, 'no-session', 'there is no such session', 'lastgood list')
    if (entry !== undefined) return json(response, { type: 'response-received', content: document.turns[0]?.message })
    // Read when requested, delivered later.
    const read = structuredClone(document)
    if (this.slowMs > 0) await sleep(this.slowMs)
    const hasContent = searchParams.get('content') === '1'
    return json(response, hasContent ? { ...read, hasContent } : read.hasContent ? read : withoutContent(read))
  }

  #file(path: string, response: ServerResponse): void {
    const name = path === '/' ? 'index.html' : path.slice(1)
    if (!readdirSync(files, { recursive: true, encoding: 'utf8' }).includes(name))
      return void response.writeHead(404).end()
    response.writeHead(200, {
      'content-type': types[extname(name)] ?? 'text/plain',
      'content-security-policy': policy,
      'referrer-policy': 'no-referrer',
    })
    response.end(readFileSync(join(files, name)))
  }
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  hint: string | null = null,
): void {
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify({ error: { code, message, hint } }))
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString() || '{}')
}

function withoutContent(document: SessionDocument): SessionDocument {
  const turns = document.turns.map((turn) => ({
    ...turn,
    message: '',
    steps: turn.steps.map((step) =>
      step.kind === 'answer' ? { ...step, text: '' } : step.kind === 'tool' ? { ...step, input: '', result: '' } : step,
    ),
  }))
  return { ...document, turns }
}
