/**
 * The dashboard: a function from request to response, for any server that speaks web standards.
 *
 * 1. A caller that is not signed in gets nothing but the page's own files; see `gate.ts`.
 * 2. Every failure is answered in one form, with what to do next; none ends the server.
 * 3. Content of conversations is given only on request, and never with a secret of a known shape.
 */
import { randomBytes } from 'node:crypto'
import { assertSessionId, LastgoodError, sessionNotFound, type Clock, type Entry, type Store } from '@lastgood/core'
import type { ResumeAllDocument, SessionDocument } from '@lastgood/dashboard'
import { Hono, type Context } from 'hono'
import { agentNames, type LastgoodConfig } from '../config.ts'
import { onlyHere, type Exposure } from '../server/exposure.ts'
import { counted } from '../numbers.ts'
import { rowOf } from '../sessions/session-row.ts'
import type { PageChoice } from '../status/page-choice.ts'
import { actionIn, isActionName, resumeAllBody } from './action-body.ts'
import { act, note } from './actions.ts'
import { bodyOf } from './body.ts'
import { eventStream } from './event-stream.ts'
import { Gate } from './gate.ts'
import type { KeptStore } from './kept-store.ts'
import { outagesDocument } from './outages-document.ts'
import { unbuiltPage, type PageFile, type PageFiles } from './page-files.ts'
import { Readings } from './readings.ts'
import { json, refusal, refusalOf, refused } from './refusal.ts'
import { ResumeAll } from './resume-all.ts'
import type { ResumeCommand } from './resume-process.ts'
import { Resumes } from './resumes.ts'
import { sessionDocument, shownEntryAt } from './session-document.ts'
import { stoppedSession, stoppedSessions } from './stopped-sessions.ts'
import { Watcher } from './watcher.ts'

export interface DashboardOptions {
  readonly clock: Clock
  readonly store: KeptStore
  /** The flags that lead a command to the same store. */
  readonly flags: readonly string[]
  readonly files: PageFiles
  readonly readOnly: boolean
  /** Default: a new one. */
  readonly token?: string | undefined
  /** Default: only this machine. */
  readonly exposure?: Exposure
  /** What its paths begin with: empty, or `/dashboard`. */
  readonly prefix?: string
  readonly config: LastgoodConfig | undefined
  readonly page: (store: Store) => PageChoice
  /** How a session is resumed; `cwd`: where, if its own folder is not here. */
  readonly resume: ResumeCommand
  readonly cwd: string
}

export interface Dashboard {
  readonly token: string
  fetch(request: Request): Promise<Response>
  /** Ends what is being watched. */
  close(): Promise<void>
}

const headersOfAll: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

const mostViewers = 100
const dayMs = 86_400_000

export function createDashboard(options: DashboardOptions): Dashboard {
  const { clock, store, flags, files, readOnly, config, page, prefix = '' } = options
  const token = options.token ?? randomBytes(32).toString('base64url')
  const gate = new Gate({ clock, token, prefix, exposure: options.exposure ?? onlyHere })
  const agents = agentNames(config)
  const watcher = new Watcher({ clock, store, flags, agents, readOnly, page })
  const resumes = new Resumes({ clock, resume: options.resume, cwd: options.cwd })
  const resumeAll = new ResumeAll({
    clock,
    resumes,
    stopped: async (sessionId) => stoppedSession(await store.open(), sessionId, agents),
    onChange: () => watcher.tell(),
  })
  watcher.staggered = () => resumeAll.standing
  const stoppedIds = async (): Promise<string[]> => {
    await watcher.overview()
    return (await stoppedSessions(await store.open(), watcher.rows, agents)).map(({ sessionId }) => sessionId)
  }
  const documents = new Readings<SessionDocument>()
  const entries = new Readings<Entry | undefined>()
  let viewers = 0
  const ended = new AbortController()
  const app = new Hono().basePath(prefix)

  app.use(async ({ req }, next) => {
    const refusal = gate.refusalOfPlace(req.raw)
    if (refusal) return refused(refusal)
    await next()
  })
  app.post('/api/login', async ({ req }) => {
    const { token: said } = (await bodyOf(req.raw)) as { token?: unknown }
    const refusal = gate.refusalOfToken(typeof said === 'string' ? said : '')
    if (refusal) return refused(refusal, refusal.status === 429 ? { 'retry-after': '60' } : {})
    return new Response(null, { status: 204, headers: { 'set-cookie': gate.cookie(req.raw) } })
  })
  app.use('/api/*', async ({ req }, next) => {
    const refusal = gate.refusalOfCaller(req.raw)
    if (refusal) return refused(refusal, refusal.status === 401 ? { 'www-authenticate': 'Bearer' } : {})
    await next()
  })

  app.post('/api/*', async (_, next) => {
    if (readOnly)
      return refused(
        refusal(403, 'read-only', 'this dashboard was started with --read-only', 'type the command in a terminal'),
      )
    await next()
  })
  app.post('/api/sessions/:id/:action', async (c) => {
    const id = sessionIdIn(c)
    const name = c.req.param('action')
    if (!isActionName(name)) return refused(refusal(404, 'not-found', 'there is no such action'))
    const asked = actionIn(name, await bodyOf(c.req.raw))
    const done = await act({ clock, store: await store.open(), resumes, agents, flags }, id, asked)
    await watcher.lookAt(id, done.sessionId)
    return json(done)
  })
  app.post('/api/resume-all', async (c) => {
    const { reason, everyMs } = resumeAllBody(await bodyOf(c.req.raw))
    const stopped = await stoppedIds()
    const round = resumeAll.start(stopped, reason, everyMs)
    const leave = watcher.want()
    void round.finally(leave)
    const text = `${counted(stopped.length, 'session')}, one after another; ${stopped[0] ?? ''} first`
    await note({ clock, store: await store.open() }, { action: 'resume-all', sessionId: null, reason, outcome: text })
    await watcher.lookAt()
    return json({ text, sessionId: stopped[0] ?? '' }, 202)
  })
  app.post('/api/resume-all/stop', async (c) => {
    await bodyOf(c.req.raw)
    resumeAll.stop()
    return json({ text: 'no more sessions are resumed', sessionId: '' })
  })

  app.get('/api/resume-all', async () =>
    json({ schema: 'lastgood.resume-all/v1', sessionIds: await stoppedIds() } satisfies ResumeAllDocument),
  )
  app.get('/api/overview', async () => json(await watcher.overview()))
  app.get('/api/events', (c) => {
    if (c.req.method === 'HEAD') return new Response(null)
    if (viewers >= mostViewers)
      return refused(refusal(503, 'too-many-viewers', `${mostViewers} pages are open already`))
    viewers += 1
    return eventStream(watcher, clock, ended.signal, () => (viewers -= 1))
  })
  app.get('/api/sessions/:id', async (c) => {
    const id = sessionIdIn(c)
    const opened = await store.open()
    const summary = (await opened.summary(id)) ?? notThere(id, opened)
    const hasContent = wantsContent(c)
    const started = resumes.of(id, hasContent)
    const facts = {
      store: opened,
      row: rowOf(summary),
      flags,
      agents,
      now: clock.now(),
      hasContent,
      page: watcher.statusReading,
      prices: config?.prices,
      started,
    }
    const asked = JSON.stringify([summary, hasContent, started])
    return json(await documents.of(asked, c.req.raw.signal, (left) => sessionDocument(facts, left)))
  })
  app.get('/api/sessions/:id/entries/:seq', async (c) => {
    const id = sessionIdIn(c)
    const seq = /^[1-9]\d{0,14}$/.test(c.req.param('seq')) ? Number(c.req.param('seq')) : 0
    const hasContent = wantsContent(c)
    const opened = await store.open()
    const asked = JSON.stringify([id, seq, hasContent])
    const read = () => shownEntryAt(opened, id, seq, hasContent)
    const entry = seq === 0 ? undefined : await entries.of(asked, c.req.raw.signal, read)
    if (!entry)
      return refused(refusal(404, 'no-such-entry', `session ${id} has no entry ${c.req.param('seq').slice(0, 20)}`))
    return json({ schema: 'lastgood.entry-page/v1', hasContent, entry })
  })
  app.get('/api/outages', async (c) => {
    const asked = sinceIn(c)
    await watcher.overview()
    const now = clock.now()
    const since = Math.max(asked ?? -Infinity, now - dayMs)
    const sessionIds = watcher.rows.map(({ head }) => head.sessionId)
    return json(outagesDocument({ journals: watcher.journals, sessionIds, records: watcher.records, now, since }))
  })
  app.all('/api/*', (c) => {
    const { method } = c.req
    if (method === 'GET' || method === 'HEAD' || method === 'POST') {
      return refused(refusal(404, 'not-found', 'there is nothing at this address'))
    }
    return refused(refusal(405, 'wrong-method', `${method} is not allowed here`), { allow: 'GET, HEAD, POST' })
  })

  app.get('/*', ({ req }) => {
    // The page's requests are relative to its own address.
    if (req.path === prefix) return new Response(null, { status: 308, headers: { location: `${prefix.slice(1)}/` } })
    const path = req.path.slice(prefix.length + 1)
    const file = files.fileAt(path)
    if (file) return fileResponse(file, req.header('if-none-match'))
    if (path === '')
      return new Response(unbuiltPage, {
        status: 503,
        headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
      })
    return plain(404, 'not found')
  })
  app.all('/*', () => plain(405, 'this method is not allowed here', { allow: 'GET, HEAD' }))
  app.notFound(() => plain(404, 'not found'))
  app.onError((error) => refused(refusalOf(error, flags)))

  return {
    token,
    async fetch(request) {
      const response = await app.fetch(request)
      for (const [name, value] of Object.entries(headersOfAll)) response.headers.set(name, value)
      return response
    },
    async close() {
      ended.abort()
      resumeAll.stop()
      watcher.close()
      await resumes.close()
      await store.close()
    },
  }
}

function sessionIdIn(c: Context): string {
  const id = c.req.param('id') ?? ''
  assertSessionId(id)
  return id
}

/** Errors: `bad-option`. */
function sinceIn(c: Context): number | undefined {
  const text = c.req.query('since')
  const since = text === undefined ? undefined : Date.parse(text)
  if (!Number.isNaN(since)) return since
  throw new LastgoodError('bad-option', 'since is not a point in time', {
    hint: 'write it as 2026-01-31T12:00:00Z',
    details: { field: 'since' },
  })
}

const wantsContent = (c: Context): boolean => c.req.query('content') === '1'

function notThere(id: string, store: Store): never {
  throw sessionNotFound(id, store)
}

function fileResponse({ bytes, type, tag, isHashed }: PageFile, known: string | undefined): Response {
  const headers = {
    'content-type': type,
    etag: tag,
    'cache-control': isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
  }
  return known === tag ? new Response(null, { status: 304, headers }) : new Response(bytes, { headers })
}

function plain(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...headers },
  })
}
