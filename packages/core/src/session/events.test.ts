import { getEventListeners } from 'node:events'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Emitter, type Listener, type SessionEvent } from './events.ts'
import { memoryStore } from '../store/memory-store.ts'
import { openSession } from './open-session.ts'

const delta = (text: string) => ({ type: 'delta', kind: 'text', text }) as const

async function openTestSession() {
  const session = await openSession('ses', { store: memoryStore() })
  onTestFinished(() => session.close())
  return session
}

async function collect(events: AsyncIterable<SessionEvent>): Promise<string[]> {
  const types: string[] = []
  for await (const event of events) types.push(event.type === 'entry' ? event.entry.type : event.type)
  return types
}

describe('a listener that throws', () => {
  test('is told off by a process warning and dropped; the others and the session go on', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    const session = await openTestSession()
    const broken = vi.fn<Listener>(() => {
      throw new Error('broken user interface')
    })
    const working = vi.fn<Listener>()
    session.subscribe(broken)
    session.subscribe(working)
    await session.startTurn([{ role: 'user', content: 'x' }])
    expect(broken).toHaveBeenCalledTimes(1)
    expect(working).toHaveBeenCalledTimes(2) // opened, turn started
    expect(warn.mock.calls).toEqual([['a listener failed: broken user interface', { code: 'LASTGOOD_LISTENER' }]])
    await session.record([{ type: 'request-sent', model: 'm', attempt: 1 }])
    expect(session.seq).toBe(3)
  })

  test('later, as a promise, is told off once, without a secret that its error quotes', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    const emitter = new Emitter()
    const broken = vi.fn<Listener>(() => Promise.reject(new Error('connect https://app:hunter2@logs failed')))
    emitter.subscribe(broken)
    emitter.emit(delta('one'))
    emitter.emit(delta('two'))
    await new Promise((resolve) => setImmediate(resolve))
    emitter.emit(delta('three'))
    expect(broken).toHaveBeenCalledTimes(2)
    expect(warn.mock.calls).toEqual([
      ['a listener failed: connect https://app:[secret]@logs failed', { code: 'LASTGOOD_LISTENER' }],
    ])
  })
})

describe('events()', () => {
  test('gives what happens from its call on, also what nobody has asked for yet, up to close', async () => {
    const session = await openTestSession()
    session.emit(delta('before'))
    const events = session.events()
    await session.startTurn([{ role: 'user', content: 'x' }])
    session.emit(delta('x'))
    await session.close()
    expect(await collect(events)).toEqual(['session-opened', 'turn-started', 'delta'])
  })

  test('gives everything to a reader that is slower than what happens', async () => {
    const emitter = new Emitter()
    const end = new AbortController()
    const seen: SessionEvent[] = []
    const all = Array.from({ length: 100 }, (_, i) => delta(String(i)))
    const reading = (async () => {
      for await (const event of emitter.iterate(end.signal)) {
        seen.push(event)
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    for (const event of all) emitter.emit(event)
    end.abort()
    await reading
    expect(seen).toEqual(all)
  })

  test('each reader has its own, and one that leaves takes nothing from the other', async () => {
    const emitter = new Emitter()
    const end = new AbortController()
    const [leaving, staying] = [emitter.iterate(end.signal), emitter.iterate(end.signal)]
    emitter.emit(delta('one'))
    for await (const _event of leaving) break
    emitter.emit(delta('two'))
    end.abort()
    expect(await collect(staying)).toEqual(['delta', 'delta'])
  })

  test('of a reader that leaves nothing stays, also where it never began or is still waiting', async () => {
    const emitter = new Emitter()
    const { signal } = new AbortController()
    const heard = vi.fn<Listener>()
    const subscribe = emitter.subscribe.bind(emitter)
    emitter.subscribe = (listener) => subscribe((event) => [heard(event), listener(event)])
    const [unused, waiting, reading] = [emitter.iterate(signal), emitter.iterate(signal), emitter.iterate(signal)]
    const next = waiting.next()
    await Promise.all([unused.return(), waiting.return()])
    expect((await next).done).toBe(true)
    emitter.emit(delta('one'))
    for await (const _event of reading) break
    emitter.emit(delta('two'))
    expect(heard.mock.calls).toEqual([[delta('one')]])
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})
