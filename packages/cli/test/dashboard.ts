/** A dashboard in this very process: a function that is asked, without a socket. */
import { systemClock, type Clock, type Store } from '@lastgood/core'
import type { Overview, OverviewChange, SessionDocument } from '@lastgood/dashboard'
import { onTestFinished } from 'vitest'
import { createDashboard, type Dashboard, type DashboardOptions } from '../src/dashboard/dashboard.ts'
import { openStore } from '../src/dashboard/kept-store.ts'

const origin = 'http://127.0.0.1:4142'

export interface StagedDashboard {
  readonly dashboard: Dashboard
  ask(path: string, init?: RequestInit): Promise<Response>
  /** The document at a path; with a body, the answer to posting it. */
  get<Document>(path: string): Promise<Document>
  post(path: string, body: object): Promise<{ status: number; body: unknown }>
  overview(): Promise<Overview>
  session(id: string, query?: string): Promise<SessionDocument>
  /** A viewer: what it has got so far. */
  view(): Promise<Seen>
}

export interface Seen {
  readonly events: readonly ({ event: 'overview'; data: Overview } | { event: 'change'; data: OverviewChange })[]
  /** Of all changes but the sign of life. */
  readonly changes: readonly OverviewChange[]
  leave(): Promise<void>
}

export function stage(
  store: Store,
  { clock = systemClock, ...changes }: Partial<DashboardOptions> & { clock?: Clock } = {},
): StagedDashboard {
  const dashboard = createDashboard({
    clock,
    store: openStore(store),
    flags: [],
    files: { fileAt: () => undefined },
    readOnly: false,
    config: undefined,
    page: () => ({ off: 'a test' }),
    resume: { command: [process.execPath, '-e', 'process.exit(9)'], env: {}, flags: [] },
    cwd: '/',
    ...changes,
  })
  onTestFinished(() => dashboard.close())
  const authorization = `Bearer ${dashboard.token}`
  const ask = (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers)
    headers.set('authorization', authorization)
    return dashboard.fetch(new Request(`${origin}${path}`, { ...init, headers }))
  }
  const get = async <Document>(path: string): Promise<Document> => {
    const response = await ask(path)
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
    return (await response.json()) as Document
  }
  return {
    dashboard,
    ask,
    get,
    async post(path, body) {
      const response = await ask(path, { method: 'POST', body: JSON.stringify(body) })
      return { status: response.status, body: await response.json() }
    },
    overview: () => get('/api/overview'),
    session: (id, query = '') => get(`/api/sessions/${id}${query}`),
    async view() {
      const response = await ask('/api/events')
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
      const events: Seen['events'][number][] = []
      void (async () => {
        let text = ''
        for (let read = await reader.read(); !read.done; read = await reader.read()) {
          text += read.value
          const blocks = text.split('\n\n')
          text = blocks.pop() ?? ''
          for (const block of blocks) {
            const [, event] = /^event: (\w+)$/m.exec(block) ?? []
            const [, data] = /^data: (.*)$/m.exec(block) ?? []
            if (event && data) events.push({ event, data: JSON.parse(data) } as Seen['events'][number])
          }
        }
      })()
      return {
        events,
        get changes() {
          return events.flatMap((one) => (one.event === 'change' && Object.keys(one.data).length > 1 ? [one.data] : []))
        },
        leave: () => reader.cancel(),
      }
    },
  }
}
