/**
 * What pages and programs ask of the dashboard below `/api/`, once they are let in: documents, events and actions.
 *
 * 1. Content of conversations is given only on request, and never with a secret of a known shape.
 */
import {
  assertSessionId,
  LastgoodError,
  readFleetAgents,
  sessionNotFound,
  type Clock,
  type Entry,
} from '@lastgood/core'
import type { ResumeAllDocument, SessionDocument } from '@lastgood/dashboard'
import { Hono, type Context } from 'hono'
import type { LastgoodConfig } from '../config.ts'
import { counted } from '../numbers.ts'
import { rowOf } from '../sessions/session-row.ts'
import { actionIn, isActionName, resumeAllBody } from './action-body.ts'
import { act, note } from './actions.ts'
import { bodyOf } from './body.ts'
import { eventStream } from './event-stream.ts'
import type { KeptStore } from './kept-store.ts'
import { outagesDocument } from './outages-document.ts'
import { Readings } from './readings.ts'
import { json, refusal, refused } from './refusal.ts'
import type { ResumeAll } from './resume-all.ts'
import type { Resumes } from './resumes.ts'
import { sessionDocument, shownEntryAt } from './session-document.ts'
import { stoppedSessions } from './stopped-sessions.ts'
import type { Watcher } from './watcher.ts'

export interface ApiParts {
  readonly clock: Clock
  readonly store: KeptStore
  readonly flags: readonly string[]
  readonly agents: ReadonlySet<string>
  readonly config: LastgoodConfig | undefined
  readonly readOnly: boolean
  readonly watcher: Watcher
  readonly resumes: Resumes
  readonly resumeAll: ResumeAll
  /** Aborts when the dashboard is closed. */
  readonly ended: AbortSignal
}

const mostViewers = 100
const dayMs = 86_400_000

export function apiOf(parts: ApiParts): Hono {
  const { clock, store, flags, agents, config, readOnly, watcher, resumes, resumeAll, ended } = parts
  const stoppedIds = async (): Promise<string[]> => {
    await watcher.overview()
    return (await stoppedSessions(await store.open(), watcher.rows, agents)).map(({ sessionId }) => sessionId)
  }
  const documents = new Readings<SessionDocument>()
  const entries = new Readings<Entry | undefined>()
  let viewers = 0
  const api = new Hono()

  api.post('/*', async (_, next) => {
    if (readOnly)
      return refused(
        refusal(403, 'read-only', 'this dashboard was started with --read-only', 'type the command in a terminal'),
      )
    await next()
  })
  api.post('/sessions/:id/:action', async (c) => {
    const id = sessionIdIn(c)
    const name = c.req.param('action')
    if (!isActionName(name)) return refused(refusal(404, 'not-found', 'there is no such action'))
    const asked = actionIn(name, await bodyOf(c.req.raw))
    const done = await act({ clock, store: await store.open(), resumes, agents, flags }, id, asked)
    await watcher.lookAt(id, done.sessionId)
    return json(done)
  })
  api.post('/resume-all', async (c) => {
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
  api.post('/resume-all/stop', async (c) => {
    await bodyOf(c.req.raw)
    resumeAll.stop()
    return json({ text: 'no more sessions are resumed', sessionId: '' })
  })

  api.get('/resume-all', async () =>
    json({ schema: 'lastgood.resume-all/v1', sessionIds: await stoppedIds() } satisfies ResumeAllDocument),
  )
  api.get('/overview', async () => json(await watcher.overview()))
  api.get('/events', (c) => {
    if (c.req.method === 'HEAD') return new Response(null)
    if (viewers >= mostViewers)
      return refused(refusal(503, 'too-many-viewers', `${mostViewers} pages are open already`))
    viewers += 1
    return eventStream(watcher, clock, ended, () => (viewers -= 1))
  })
  api.get('/sessions/:id', async (c) => {
    const id = sessionIdIn(c)
    const opened = await store.open()
    const summary = await opened.summary(id)
    if (!summary) throw sessionNotFound(id, opened)
    const hasContent = wantsContent(c)
    const started = resumes.of(id, hasContent)
    const facts = {
      store: opened,
      row: rowOf(summary, await readFleetAgents(opened.shared, clock.now())),
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
  api.get('/sessions/:id/entries/:seq', async (c) => {
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
  api.get('/outages', async (c) => {
    const asked = sinceIn(c)
    await watcher.overview()
    const now = clock.now()
    const since = Math.max(asked ?? -Infinity, now - dayMs)
    const sessionIds = watcher.rows.map(({ head }) => head.sessionId)
    return json(outagesDocument({ journals: watcher.journals, sessionIds, records: watcher.records, now, since }))
  })
  api.all('/*', (c) => {
    const { method } = c.req
    if (method === 'GET' || method === 'HEAD' || method === 'POST') {
      return refused(refusal(404, 'not-found', 'there is nothing at this address'))
    }
    return refused(refusal(405, 'wrong-method', `${method} is not allowed here`), { allow: 'GET, HEAD, POST' })
  })
  return api
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
