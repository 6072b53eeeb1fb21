/**
 * The dashboard: a function from request to response, for any server that speaks web standards.
 *
 * 1. A caller that is not signed in gets nothing but the page's own files; see `gate.ts`.
 * 2. Every failure is answered in one form, with what to do next; none ends the server.
 */
import { randomBytes } from 'node:crypto'
import type { Clock, Store } from '@lastgood/core'
import { Hono } from 'hono'
import { agentNames, type LastgoodConfig } from '../config.ts'
import { onlyHere, type Exposure } from '../server/exposure.ts'
import type { PageChoice } from '../status/page-choice.ts'
import { apiOf } from './api.ts'
import { bodyOf } from './body.ts'
import { Gate } from './gate.ts'
import type { KeptStore } from './kept-store.ts'
import { unbuiltPage, type PageFile, type PageFiles } from './page-files.ts'
import { refusalOf, refused } from './refusal.ts'
import { ResumeAll } from './resume-all.ts'
import type { ResumeCommand } from './resume-process.ts'
import { Resumes } from './resumes.ts'
import { stoppedSession } from './stopped-sessions.ts'
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
    stopped: async (sessionId) => stoppedSession(await store.open(), sessionId, agents, clock.now()),
    onChange: () => watcher.tell(),
  })
  watcher.staggered = () => resumeAll.standing
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
  const parts = { clock, store, flags, agents, config, readOnly, watcher, resumes, resumeAll }
  app.route('/api', apiOf({ ...parts, ended: ended.signal }))

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
