import { openSession, type EntryBody, type Store } from '@lastgood/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { agentOf, answer, expectEnded, openPlace, openTurn, patient } from '../test/fixture.ts'
import { Agents } from './agents.ts'
import { fleetClient } from './client.ts'
import { copyOf } from './connection.ts'
import { keysUnder } from './keys.ts'
import { resolveClient } from './options.ts'
import { Queues } from './queue.ts'
import { submit } from './submit.ts'

function openClient() {
  const place = openPlace()
  const client = fleetClient({ store: place.store, connection: place.redis, prefix: place.prefix })
  onTestFinished(() => client.close())
  return { ...place, client }
}

const coder = { agent: 'coder' }
const refused = (code: string) => expect.objectContaining({ code })

describe('submit', () => {
  it('P1: the turn is in the journal, also where no worker runs', async () => {
    const { client, store, index } = openClient()
    expect(await client.submit('s', 'Go.', coder)).toEqual({ sessionId: 's', agent: 'coder', turn: 1, isNew: true })
    expect(await store.summary('s')).toMatchObject({
      head: { status: 'running', turn: 1, agent: 'coder' },
      holder: null,
    })
    expect(await index.counts()).toMatchObject({ later: 1 })
    expect(await client.status()).toMatchObject({ agents: { coder: { waiting: 1 } } })
  })

  it('P1: a turn whose submitter dies before it is queued has a row, so a worker will look at it', async () => {
    const { store, redis, prefix, index } = openPlace()
    const [copy, keys] = [copyOf(redis), keysUnder(prefix)]
    class Dying extends Queues {
      override add(): Promise<void> {
        return Promise.reject(new Error('died'))
      }
    }
    const queues = new Dying(copy, keys)
    onTestFinished(() => queues.close())
    const options = resolveClient({ store, connection: redis, prefix })
    const agents = new Agents(copy, keys, queues, options)
    await expect(submit({ options, index, queues, agents }, 's', 'Go.', coder)).rejects.toThrow('died')
    expect(await store.summary('s')).toMatchObject({ head: { turn: 1 } })
    expect(await index.counts()).toMatchObject({ later: 1 })
  })

  it('the same again is no second turn and no second job, and takes no lease', async () => {
    const { client, store } = openClient()
    await client.submit('s', 'Go.', coder)
    const before = await store.summary('s')
    expect(await client.submit('s', 'Go.', coder)).toEqual({ sessionId: 's', agent: 'coder', turn: 1, isNew: false })
    expect(await store.summary('s')).toEqual(before)
    expect(await client.status()).toMatchObject({ agents: { coder: { waiting: 1 } } })
  })

  it('the same again while a worker is at it is the same turn', async () => {
    const { client, store } = openClient()
    const session = await openSession('s', { store })
    await session.startTurn([{ role: 'user', content: 'Go.' }], 'coder')
    expect(await client.submit('s', 'Go.', coder)).toEqual({ sessionId: 's', agent: 'coder', turn: 1, isNew: false })
    await expect(client.submit('s', 'Else.', coder)).rejects.toEqual(refused('bad-option'))
    await session.close()
  })

  it('the same again says why no worker continues it, where a person has to', async () => {
    const { client, store } = openClient()
    const parked = async (id: string, suspended: EntryBody) => {
      const session = await openSession(id, { store })
      await session.startTurn([{ role: 'user', content: 'Go.' }], 'coder')
      await session.record([suspended])
      await session.close()
      return (await client.submit(id, 'Go.', coder)).waitsFor
    }
    const detail = 'twice or once?'
    expect(await parked('asks', { type: 'session-suspended', reason: 'needs-input', detail })).toBe(detail)
    const due = { type: 'session-suspended', reason: 'exhausted', detail, retryAt: Date.now() + 60_000 } as const
    expect(await parked('due', due)).toBeUndefined()
  })

  it('with its number a turn that has ended is not begun again', async () => {
    const { client, store } = openClient()
    await openTurn(store, 's', 'coder', answer)
    expect(await client.submit('s', 'Go.', { ...coder, turn: 1 })).toEqual({
      sessionId: 's',
      agent: 'coder',
      turn: 1,
      isNew: false,
    })
    expect(await client.submit('s', 'Go.', { ...coder, turn: 2 })).toEqual({
      sessionId: 's',
      agent: 'coder',
      turn: 2,
      isNew: true,
    })
    expect(await client.submit('s', 'Go.', { ...coder, turn: 2 })).toEqual({
      sessionId: 's',
      agent: 'coder',
      turn: 2,
      isNew: false,
    })
  })

  it('a number beyond the next turn is told, with the one that it can be', async () => {
    const { client } = openClient()
    const hint = 'make it 1, or leave the turn out'
    await expect(client.submit('s', 'Go.', { ...coder, turn: 3 })).rejects.toMatchObject({ code: 'bad-option', hint })
  })

  it('another turn while one is open is refused, and so is one of a session that somebody has', async () => {
    const { client, store } = openClient()
    await openTurn(store, 's', 'coder')
    await expect(client.submit('s', 'Something else.', coder)).rejects.toEqual(refused('bad-option'))
    await expect(client.submit('s', 'Go.', { agent: 'writer' })).rejects.toEqual(refused('bad-option'))
    const idle = await openSession('idle', { store })
    await idle.startTurn([{ role: 'user', content: 'Go.' }], 'coder')
    await answer(idle)
    await expect(client.submit('idle', 'More.', coder)).rejects.toEqual(refused('session-busy'))
    await idle.close()
  })

  it('the next turn waits a moment for the worker that ended the last one and has the session yet', async () => {
    const { store, redis, prefix } = openPlace()
    let refusals = 0
    const counting: Store = {
      ...store,
      async acquire(...asked) {
        const answer = await store.acquire(...asked)
        if (answer.kind === 'busy') refusals += 1
        return answer
      },
    }
    const client = fleetClient({ store: counting, connection: redis, prefix })
    onTestFinished(() => client.close())
    const worker = await openSession('s', { store })
    await worker.startTurn([{ role: 'user', content: 'Go.' }], 'coder')
    await answer(worker)
    expect(await client.settled('s', 1)).toMatchObject({ status: 'idle' })
    const submitted = client.submit('s', 'More.', coder)
    await expect.poll(() => refusals, patient).toBeGreaterThan(0)
    await worker.close()
    expect(await submitted).toEqual({ sessionId: 's', agent: 'coder', turn: 2, isNew: true })
  })

  it('other words take the place of what was refused', async () => {
    const { client, store, start } = openClient()
    await openTurn(store, 's', 'coder', async (session) => {
      await session.record([
        { type: 'request-sent', model: 'm', attempt: 1 },
        { type: 'fault-observed', fault: { kind: 'too-large' }, decision: { kind: 'fail', reason: 'too large' } },
      ])
    })
    expect(await client.submit('s', 'Shorter.', coder)).toEqual({
      sessionId: 's',
      agent: 'coder',
      turn: 1,
      isNew: true,
    })
    start({ coder: agentOf('coder') })
    await expectEnded(store, ['s'])
  })

  it('other words while one waits for a person are told how that one goes on', async () => {
    const { client, store } = openClient()
    await openTurn(store, 's', 'coder', (session) => session.suspend('needs-input', 'which one?'))
    await expect(client.submit('s', 'Else.', coder)).rejects.toMatchObject({
      code: 'bad-option',
      hint: 'it waits for a person: lastgood resume s; to let a worker continue it: lastgood submit s',
    })
  })

  it('a turn for an agent that nobody runs is named with it, and can be given up for another', async () => {
    const { client, store, start } = openClient()
    await client.submit('s', 'Go.', { agent: 'codre' })
    await expect(client.submit('s', 'Go.', coder)).rejects.toMatchObject({
      message: expect.stringContaining('turn 1 is open for agent codre'),
      hint: expect.stringContaining('lastgood rewind s --turn 0'),
    })
    const session = await openSession('s', { store })
    await session.rewind(0, 'lastgood rewind')
    await session.close()
    expect(await client.submit('s', 'Go.', coder)).toMatchObject({ agent: 'coder', turn: 1, isNew: true })
    start({ coder: agentOf('coder') })
    await expectEnded(store, ['s'])
  })

  it('by its number a turn that was refused is not begun again', async () => {
    const { client, store } = openClient()
    await openTurn(store, 's', 'coder', async (session) => {
      await session.record([
        { type: 'request-sent', model: 'm', attempt: 1 },
        { type: 'fault-observed', fault: { kind: 'too-large' }, decision: { kind: 'fail', reason: 'too large' } },
      ])
    })
    expect(await client.submit('s', 'Go.', { ...coder, turn: 1 })).toEqual({
      sessionId: 's',
      agent: 'coder',
      turn: 1,
      isNew: false,
      waitsFor: 'too large',
    })
  })

  it('again, for a person who waits now, comes before the batches', async () => {
    const { client, store, start, told } = openClient()
    const ids = ['b-1', 'b-2', 'b-3']
    for (const id of ids) await client.submit(id, 'Go.', coder)
    const again = { ...coder, priority: 'interactive' } as const
    expect(await client.submit('b-3', 'Go.', again)).toEqual({
      sessionId: 'b-3',
      agent: 'coder',
      turn: 1,
      isNew: false,
    })
    await client.submit('b-3', 'Go.', coder)
    start({ coder: { agent: agentOf('coder'), concurrency: 1 } })
    await expectEnded(store, ids)
    const started = told.flatMap((event) => (event.kind === 'started' ? [event.sessionId] : []))
    expect(started).toEqual(['b-3', 'b-1', 'b-2'])
  })

  it('what Redis refuses is told in its words, with the command that says more', async () => {
    const { client, redis, prefix } = openClient()
    await redis.set(`${prefix}:fleet:agents`, 'of somebody else')
    await expect(client.submit('s', 'Go.', coder)).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringMatching(/^the Redis of the fleet refuses: WRONGTYPE /),
      hint: expect.stringContaining('lastgood doctor --store redis://'),
    })
  })

  it.each([
    ['agent', { agent: '' }],
    ['agent', undefined as never],
    ['priority', { agent: 'coder', priority: 'urgent' as never }],
    ['turn', { agent: 'coder', turn: 3 }],
    ['turn', { agent: 'coder', turn: 0 }],
    ['turn', { agent: 'coder', turn: -3 }],
    ['turn', { agent: 'coder', turn: 0.5 }],
    ['turn', { agent: 'coder', turn: '1' as never }],
  ])('a bad %s is told, and no turn is begun', async (field, options) => {
    const { client, store } = openClient()
    const told = expect.objectContaining({ code: 'bad-option', details: { field } })
    await expect(client.submit('s', 'Go.', options)).rejects.toEqual(told)
    expect(await store.summary('s')).toBeUndefined()
  })

  it.each([undefined, null, 42, { type: 'text', text: 'x' }, [{}], [null], ['x']])(
    '%j is no input: it is told, and nothing is opened',
    async (input) => {
      const { client, store } = openClient()
      await openTurn(store, 's', 'coder', answer)
      const before = await store.summary('s')
      const told = expect.objectContaining({ code: 'bad-option', details: { field: 'input' } })
      for (const id of ['s', 'new']) await expect(client.submit(id, input as never, coder)).rejects.toEqual(told)
      expect(await store.summary('s')).toEqual(before)
      expect(await store.summary('new')).toBeUndefined()
    },
  )

  it.each<[string, EntryBody]>([
    ['a person stopped', { type: 'session-suspended', reason: 'interrupted', detail: 'Ctrl+C' }],
    ['waits for an answer', { type: 'session-suspended', reason: 'needs-input', detail: 'which one?' }],
    [
      'waits for tomorrow',
      { type: 'session-suspended', reason: 'exhausted', detail: 'limit', retryAt: Date.now() + 86_400_000 },
    ],
  ])('continueTurn gives a turn that %s back to the workers', async (_, suspended) => {
    const { client, store, start } = openClient()
    await openTurn(store, 's', 'coder', async (session) => void (await session.record([suspended])))
    start({ coder: agentOf('coder') })
    expect(await client.continueTurn('s')).toEqual({ sessionId: 's', agent: 'coder', turn: 1, isNew: false })
    await expectEnded(store, ['s'])
  })

  it('continueTurn leaves a session alone that somebody runs, and refuses one that nobody can continue here', async () => {
    const { client, store } = openClient()
    const session = await openSession('held', { store })
    await session.startTurn([{ role: 'user', content: 'Go.' }], 'coder')
    expect(await client.continueTurn('held')).toMatchObject({ turn: 1, agent: 'coder' })
    expect(session.seq).toBe((await store.summary('held'))?.head.seq)
    await session.record([{ type: 'session-suspended', reason: 'needs-input', detail: 'which one?' }])
    await expect(client.continueTurn('held')).rejects.toEqual(refused('session-busy'))
    await session.close()

    await openTurn(store, 'over', 'coder', answer)
    await openTurn(store, 'own', undefined)
    await openTurn(store, 'refused', 'coder', async (one) => {
      await one.record([
        { type: 'request-sent', model: 'm', attempt: 1 },
        { type: 'fault-observed', fault: { kind: 'too-large' }, decision: { kind: 'fail', reason: 'too large' } },
      ])
    })
    await expect(client.continueTurn('nobody')).rejects.toEqual(refused('session-not-found'))
    const words = expect.stringContaining('lastgood submit')
    for (const [id, hint] of [
      ['over', words],
      ['refused', words],
      ['own', expect.stringContaining('start its own program again')],
    ] as const) {
      await expect(client.continueTurn(id)).rejects.toMatchObject({ code: 'bad-option', hint })
    }
  })

  it.each([undefined, Number.NaN, 0, -1, 1.5, '1'])('settled refuses turn %s at once', async (turn) => {
    const { client, store } = openClient()
    await openTurn(store, 's', 'coder')
    const told = expect.objectContaining({ code: 'bad-option', details: { field: 'turn' } })
    await expect(client.settled('s', turn as never)).rejects.toEqual(told)
  })

  it('settled gives the head when the turn has ended, or waits for a person', async () => {
    const { client, start } = openClient()
    start({
      coder: agentOf('coder'),
      asker: agentOf('asker', (session) => session.suspend('needs-input', 'which one?')),
    })
    await client.submit('s', 'Go.', coder)
    expect(await client.settled('s', 1)).toMatchObject({ status: 'idle', lastGoodTurn: 1 })
    await client.submit('q', 'Go.', { agent: 'asker' })
    expect(await client.settled('q', 1)).toMatchObject({ status: 'needs-input', reason: 'which one?' })
    await expect(client.settled('s', 2)).rejects.toEqual(refused('bad-option'))
  })
})
