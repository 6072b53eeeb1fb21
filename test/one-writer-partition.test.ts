/**
 * A worker that loses the network to Redis and comes back: it is fenced off by the one that took over meanwhile (P3),
 * what was acknowledged stays (P1), and what was not is before the takeover or nowhere.
 */
import type { EntryBody, Session, Store } from '@lastgood/core'
import { describe, expect, test } from 'vitest'
import { code, entriesOf } from './support/harness.ts'
import { network, opened, type Network } from './support/partition.ts'
import type { TcpProxy } from './support/tcp-proxy.ts'

const said = (text: string): EntryBody => ({ type: 'turn-continued', messages: [{ role: 'user', content: text }] })

/** The texts of the journal, in order. */
async function texts(store: Store): Promise<unknown[]> {
  return (await entriesOf(store)).flatMap((entry) =>
    entry.type === 'turn-continued' || entry.type === 'turn-started'
      ? entry.messages.map(({ content }) => content)
      : [],
  )
}

/** A session behind the proxy, in the middle of a turn. */
async function working({ far }: Network): Promise<Session> {
  const session = await opened(far, 'far')
  await session.startTurn([{ role: 'user', content: 'first' }])
  await session.record([said('second')])
  return session
}

describe('a worker in a partition', () => {
  test.each([
    [
      'did not reach the server is nowhere',
      async ({ proxy }: Network, append: () => void) => {
        proxy.blackHole('questions', 'answers')
        append()
        await expect.poll(() => proxy.swallowed.questions).toBeGreaterThan(0)
      },
      [],
    ],
    [
      'was applied without an answer is before the takeover',
      async ({ proxy, near }: Network, append: () => void) => {
        proxy.blackHole('answers')
        append()
        await expect.poll(() => texts(near)).toContain('unanswered')
        proxy.blackHole('questions')
      },
      ['unanswered'],
    ],
    [
      'was under way in the network for longer than the lease is refused when it arrives',
      async ({ proxy }: Network, append: () => void) => {
        proxy.hold('questions', 'answers')
        append()
        await expect.poll(() => proxy.held.questions).toBeGreaterThan(0)
      },
      [],
    ],
  ])('is told lease-lost when it is back; its append that %s (P1, P3)', async (_what, partition, kept) => {
    const net = await network()
    const far = await working(net)
    let outcome: Promise<unknown> = Promise.resolve()
    await partition(net, () => {
      outcome = far.record([said('unanswered')])
      outcome.catch(() => {})
    })

    const near = await opened(net.near, 'near')
    await near.record([said('by the next one')])
    net.proxy.heal()
    await expect(outcome).rejects.toEqual(code('lease-lost'))
    expect(far.signal.reason).toEqual(code('lease-lost'))
    await expect(far.record([said('too late')])).rejects.toEqual(code('lease-lost'))

    await near.record([said('and again')])
    expect(await texts(net.near)).toEqual(['first', 'second', ...kept, 'by the next one', 'and again'])
    await near.close()
    expect((await net.near.summary('ses'))?.holder).toBeNull()
  })

  test('that did nothing meanwhile is told by its next renewal (P3)', async () => {
    const net = await network()
    const far = await working(net)
    net.proxy.blackHole('questions', 'answers')
    const near = await opened(net.near, 'near')
    net.proxy.heal()
    await expect.poll(() => far.signal.aborted, { timeout: 15_000 }).toBe(true)
    expect(far.signal.reason).toEqual(code('lease-lost'))
    await near.record([said('by the next one')])
    expect(await texts(net.near)).toEqual(['first', 'second', 'by the next one'])
  })

  test('goes on as if nothing had been, when nobody took its session although the lease ran out (P1)', async () => {
    const net = await network()
    const far = await working(net)
    net.proxy.blackHole('questions', 'answers')
    const outcome = far.record([said('third')])
    await expect.poll(async () => (await net.near.summary('ses'))?.holder, { timeout: 15_000 }).toBeNull()
    net.proxy.heal()
    await outcome
    await far.record([said('fourth')])
    expect(await texts(net.near)).toEqual(['first', 'second', 'third', 'fourth'])
    await expect.poll(async () => (await net.near.summary('ses'))?.holder?.owner.id).toBe('far')
  })

  test('whose patience ends is told store-unavailable, and has recorded nothing that it was not told (P5)', async () => {
    const net = await network()
    await (await working(net)).close()
    const far = await opened(net.far, 'far', 300)
    net.proxy.blackHole('questions', 'answers')
    await expect(far.record([said('third')])).rejects.toEqual(code('store-unavailable'))
    expect(far.signal.reason).toEqual(code('store-unavailable'))
    expect(await texts(net.near)).toEqual(['first', 'second'])
    net.proxy.heal()
    await far.close()
  })
})

describe('an append whose answer is lost', () => {
  test.each([
    ['cut off with its connection', (proxy: TcpProxy) => proxy.cut()],
    ['swallowed', () => {}],
  ])('because it was %s is recognised when it is repeated, and is there once (P1)', async (_how, alsoDo) => {
    const net = await network()
    const far = await working(net)
    for (const text of ['third', 'fourth', 'fifth']) {
      net.proxy.blackHole('answers')
      const outcome = far.record([said(text), said(`${text} and a half`)])
      await expect.poll(() => texts(net.near)).toContain(text)
      alsoDo(net.proxy)
      net.proxy.heal()
      await outcome
    }
    const all = ['third', 'fourth', 'fifth'].flatMap((text) => [text, `${text} and a half`])
    expect(await texts(net.near)).toEqual(['first', 'second', ...all])
    expect(far.seq).toBe((await net.near.summary('ses'))?.head.seq)
  })

  test('again and again, at whatever byte the connection breaks, is there once (P1)', { timeout: 60_000 }, async () => {
    const net = await network()
    const far = await working(net)
    const wanted = Array.from({ length: 60 }, (_, i) => `text ${i}`)
    let isDone = false
    const cutting = (async () => {
      for (let i = 0; !isDone; i++) {
        const before = far.seq
        // Every other time a beat later, so that it hits questions as well as answers.
        for (let beat = 0; beat < i % 7; beat++) await new Promise((resolve) => setImmediate(resolve))
        net.proxy.cut()
        await expect.poll(() => isDone || far.seq > before, { interval: 1, timeout: 10_000 }).toBe(true)
      }
    })()
    for (const text of wanted) await far.record([said(text)])
    isDone = true
    await cutting
    expect(await texts(net.near)).toEqual(['first', 'second', ...wanted])
  })
})
