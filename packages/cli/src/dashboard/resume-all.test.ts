import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LastgoodError, memoryStore, openSession, type EntryBody, type Head, type Store } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { ManualClock } from '@lastgood/core/testing'
import { reply, text } from '@lastgood/outage-lab'
import type { ResumeAllDocument, StartedResume } from '@lastgood/dashboard'
import { describe, expect, test } from 'vitest'
import { answered, ended, overloaded, seed, sent, started } from '../../test/context.ts'
import { stage } from '../../test/dashboard.ts'
import { place } from '../../test/processes.ts'
import { sessionRows } from '../sessions/session-row.ts'
import { ResumeAll } from './resume-all.ts'
import type { ResumeEnd, ResumeNews, ResumeProcess } from './resume-process.ts'
import { stoppedSession, stoppedSessions } from './stopped-sessions.ts'

/** A resume that does what the test says. */
class Scripted {
  readonly listeners = new Set<(news: ResumeNews) => void>()
  end: (end: ResumeEnd) => void = () => {}
  readonly ended = new Promise<ResumeEnd>((resolve) => (this.end = resolve))
  standing(): StartedResume {
    return { at: '', pid: 1, exitCode: null, lines: ['the last line'] }
  }
  onNews(listener: (news: ResumeNews) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
  says(news: ResumeNews): void {
    for (const listener of this.listeners) listener(news)
  }
}

function round(ids: readonly string[], refused: readonly string[] = [], parked: readonly string[] = []) {
  const clock = new ManualClock()
  const stopped = new Set(ids.filter((id) => !parked.includes(id)))
  const processes = new Map<string, Scripted>()
  const all = new ResumeAll({
    clock,
    resumes: {
      start({ sessionId }) {
        if (refused.includes(sessionId)) throw new Error('too many')
        const scripted = new Scripted()
        processes.set(sessionId, scripted)
        return scripted as unknown as ResumeProcess
      },
    },
    stopped: async (sessionId) => (stopped.has(sessionId) ? ({ sessionId } as Head) : undefined),
    onChange() {},
  })
  const over = all.start(ids, 'the provider is back', 1_000)
  const begun = () => [...processes.keys()]
  /** Until everything that can happen has happened. */
  const settled = async () => {
    for (let i = 0; i < 3; i++) await clock.advance(0)
  }
  return { clock, stopped, processes, all, over, begun, settled }
}

const suspended = (message: string) => ({ code: 'session-suspended', message, hint: null })

describe('S13: sessions that an outage stopped', () => {
  test('wait for the first answer of the first, then go on one after another, at uneven pauses', async () => {
    const { clock, processes, all, over, begun, settled } = round(['a', 'b', 'c'])
    await settled()
    expect(begun()).toEqual(['a'])
    expect(all.standing).toMatchObject({ state: 'probing', done: [], left: ['a', 'b', 'c'], nextAt: null })
    processes.get('a')?.says('begun')
    processes.get('a')?.says('failed')
    await clock.advance(3_600_000)
    expect(begun()).toEqual(['a'])
    processes.get('a')?.says('answered')
    await settled()
    expect(all.standing).toMatchObject({ state: 'going', done: ['a'], left: ['b', 'c'], nextAt: expect.any(String) })
    await clock.advance(499)
    expect(begun()).toEqual(['a'])
    await clock.advance(1_001)
    expect(begun()).toEqual(['a', 'b'])
    await clock.advance(1_500)
    expect(begun()).toEqual(['a', 'b', 'c'])
    processes.get('b')?.says('answered')
    processes.get('c')?.end({ exitCode: 0, metOutage: false, error: null })
    await over
    expect(all.standing).toBeNull()
  })

  test('are started no more as soon as one of them meets the outage again', async () => {
    const { clock, processes, all, over, begun, settled } = round(['a', 'b', 'c', 'd'])
    await settled()
    processes.get('a')?.says('answered')
    await clock.advance(1_500)
    processes.get('b')?.says('failed')
    await over
    await clock.advance(60_000)
    expect(begun()).toEqual(['a', 'b'])
    expect(all.standing).toMatchObject({
      state: 'stopped',
      done: ['a'],
      left: ['c', 'd'],
      failed: [{ sessionId: 'b', why: 'it met the outage again' }],
      nextAt: null,
    })
  })

  test('are not started at all when the probe gives up', async () => {
    const { processes, all, over, begun, settled } = round(['a', 'b'])
    await settled()
    processes.get('a')?.says('failed')
    processes.get('a')?.end({ exitCode: 75, metOutage: true, error: suspended('still down') })
    await over
    expect(begun()).toEqual(['a'])
    expect(all.standing).toMatchObject({ state: 'stopped', left: ['b'] })
  })

  test('that are suspended for a limit of their own keep nobody back', async () => {
    const { processes, all, over, begun, settled } = round(['a', 'b'])
    await settled()
    processes.get('a')?.end({ exitCode: 75, metOutage: false, error: suspended('the spend limit is used up') })
    await settled()
    expect(begun()).toEqual(['a', 'b'])
    processes.get('b')?.says('answered')
    await over
    expect(all.standing).toMatchObject({
      done: ['b'],
      failed: [{ sessionId: 'a', why: 'the spend limit is used up' }],
    })
  })

  test('that somebody has parked or resumed meanwhile are left to them', async () => {
    const { clock, stopped, processes, all, over, begun, settled } = round(['x', 'a', 'b', 'c'], [], ['x'])
    await settled()
    processes.get('a')?.says('answered')
    await settled()
    stopped.delete('b')
    await clock.advance(1_500)
    expect(all.standing).toMatchObject({ done: ['a'], left: ['c'], failed: [] })
    await clock.advance(1_500)
    expect(begun()).toEqual(['a', 'c'])
    processes.get('c')?.says('answered')
    await over
    expect(all.standing).toBeNull()
  })

  test('that cannot go on for a reason of their own keep nobody back', async () => {
    const { clock, processes, all, over, begun, settled } = round(['x', 'a', 'b'], ['x'])
    await settled()
    expect(begun()).toEqual(['a'])
    processes
      .get('a')
      ?.end({ exitCode: 4, metOutage: false, error: { code: 'bad-config', message: 'no configuration', hint: null } })
    await settled()
    processes.get('b')?.says('answered')
    await over
    await clock.advance(0)
    expect(all.standing).toMatchObject({
      state: 'stopped',
      done: ['b'],
      left: [],
      failed: [
        { sessionId: 'x', why: 'too many' },
        { sessionId: 'a', why: 'no configuration' },
      ],
    })
  })

  test('are started no more when a person stops it; a second round begins only then', async () => {
    const { clock, processes, all, over, begun, settled } = round(['a', 'b'])
    await settled()
    expect(() => all.start(['a'], 'again')).toThrow('already')
    processes.get('a')?.says('answered')
    await settled()
    all.stop()
    await over
    await clock.advance(60_000)
    expect(begun()).toEqual(['a'])
    expect(all.standing).toMatchObject({ state: 'stopped', left: ['b'] })
    expect(() => all.start([], 'again')).toThrow('no session that an outage stopped')
  })
})

const bin = fileURLToPath(new URL('../../dist/bin/lastgood.js', import.meta.url))

test('S13: a real round resumes what the outage stopped, and nothing else', async () => {
  const at = await place({ model: () => reply(text('Green.')) })
  const store = fileStore({ dir: join(at.cwd, 'state') })
  const now = Date.now()
  for (const id of ['one', 'two', 'three']) {
    const session = await openSession(id, { store, cwd: at.cwd })
    await session.record([started(1), sent(), overloaded(0, now)])
    await session.close()
  }
  await seed(store, 'done', [started(1), sent(), answered('Yes.'), ended(1)])
  await seed(store, 'refused', [
    started(1),
    sent(),
    {
      type: 'fault-observed',
      fault: { kind: 'auth-blocked', status: 401 },
      decision: { kind: 'suspend', reason: 'The key is not valid' },
    },
  ])
  await seed(store, 'client', [
    { type: 'turn-started', turn: 1, agent: 'claude-code', messages: [] },
    sent(),
    overloaded(0, now),
  ])
  const env = {
    PATH: process.env['PATH'],
    HOME: at.cwd,
    LAB_URL: at.lab.url,
    LASTGOOD_STORE: `file:${at.cwd}/state`,
    LASTGOOD_STATUS_URL: 'off',
  }
  const board = stage(store, { resume: { command: [process.execPath, bin], env, flags: [] }, cwd: at.cwd })
  const { status, body } = await board.post('/api/resume-all', { reason: 'it is back', everyMs: 100 })
  expect({ status, body }).toMatchObject({
    status: 202,
    body: { text: expect.stringMatching(/^3 sessions, one after another/) },
  })
  expect(await board.post('/api/resume-all', { reason: 'again' })).toMatchObject({ status: 409 })
  await expect
    .poll(async () => (await board.overview()).sessions.filter(({ lastGoodTurn }) => lastGoodTurn === 1).length, {
      timeout: 20_000,
    })
    .toBe(4)
  await expect.poll(async () => (await board.overview()).staggered, { timeout: 10_000 }).toBeNull()
  expect(at.lab.requests).toHaveLength(3)
  expect((await board.overview()).actions).toMatchObject([
    { action: 'resume-all', sessionId: null, reason: 'it is back' },
  ])
})

test('a session that a person has parked is not resumed with the others, one whose process was stopped is', async () => {
  const store = memoryStore()
  const parked = (detail: string): EntryBody => ({ type: 'session-suspended', reason: 'interrupted', detail })
  const before = [started(1), sent(), overloaded(60_000, Date.now())]
  await seed(store, 'parked', [...before, parked('suspended from the dashboard: wrong branch')])
  await seed(store, 'stopped', [...before, parked('stopped by SIGTERM')])
  const exhausted: EntryBody = { type: 'session-suspended', reason: 'exhausted', detail: 'Gave up waiting' }
  await seed(store, 'exhausted', [...before, exhausted])
  const rows = (await sessionRows(store, 0)).rows
  const ids = (await stoppedSessions(store, rows, new Set())).map(({ sessionId }) => sessionId)
  expect(ids.toSorted()).toEqual(['exhausted', 'stopped'])
  const now = await Promise.all(rows.map(({ head }) => stoppedSession(store, head.sessionId, new Set(), 0)))
  expect(now.flatMap((head) => head?.sessionId ?? []).toSorted()).toEqual(['exhausted', 'stopped'])
  expect(await stoppedSession(store, 'removed', new Set(), 0)).toBeUndefined()
  const { sessionIds } = await stage(store).get<ResumeAllDocument>('/api/resume-all')
  expect(sessionIds.toSorted()).toEqual(['exhausted', 'stopped'])
})

test('one broken journal keeps nobody back, a store that does not answer is told of', async () => {
  const inner = memoryStore()
  const exhausted: EntryBody = { type: 'session-suspended', reason: 'exhausted', detail: 'Gave up waiting' }
  for (const id of ['broken', 'sound'])
    await seed(inner, id, [started(1), sent(), overloaded(0, Date.now()), exhausted])
  const rows = (await sessionRows(inner, 0)).rows
  const failing = (code: 'journal-corrupt' | 'store-unavailable'): Store => ({
    ...inner,
    read(id, after) {
      if (id === 'broken') throw new LastgoodError(code, 'not an entry', { hint: 'lastgood show broken' })
      return inner.read(id, after)
    },
  })
  expect(await stoppedSessions(failing('journal-corrupt'), rows, new Set())).toMatchObject([{ sessionId: 'sound' }])
  await expect(stoppedSessions(failing('store-unavailable'), rows, new Set())).rejects.toThrow('not an entry')
})

test('with nothing to resume it says so', async () => {
  expect(await stage(memoryStore()).post('/api/resume-all', { reason: 'it is back' })).toMatchObject({
    status: 409,
    body: { error: { message: expect.stringContaining('no session that an outage stopped') } },
  })
})
