import { LastgoodError, type Session, type Store } from '@lastgood/core'
import { describe, expect, it } from 'vitest'
import { agentOf, answer, expectEnded, openPlace, openTurn, patient } from '../test/fixture.ts'

const result = { type: 'tool_result', tool_use_id: 't1', content: 'ok' }
const continued = { type: 'turn-continued' as const, messages: [{ role: 'user' as const, content: [result] }] }
const thrown = () => {
  throw new Error('no')
}

/** A call that is begun, which is no end, and then comes to one. */
const ended = (outcome: 'ran' | 'verified') => async (session: Session, isCounted: () => Promise<void>) => {
  await session.record([{ type: 'tool-started', toolUseId: 't1', name: 'count', inDoubt: 'report' }])
  await isCounted()
  await session.record([{ type: 'tool-finished', toolUseId: 't1', result, outcome }])
}

describe('a session whose starts do not end', () => {
  it('P6: is set aside for a person with the command that goes on, and its row is gone', async () => {
    const { start, store, told, index } = openPlace()
    for (let i = 0; i < 4; i++) await index.start('s', 60_000)
    const fleet = start({ coder: agentOf('coder') })
    await fleet.submit('s', 'Go.', { agent: 'coder' })
    await expect
      .poll(() => told, patient)
      .toContainEqual({ kind: 'set-aside', sessionId: 's', agent: 'coder', starts: 4 })
    expect(await store.summary('s')).toMatchObject({
      head: { status: 'needs-input', turn: 1, reason: expect.stringMatching(/: 4 starts .* lastgood resume s$/) },
      holder: null,
    })
    expect(await index.counts()).toEqual({ due: 0, later: 0, started: 0 })
  })

  it.each<[string, (session: Session, isCounted: () => Promise<void>) => Promise<unknown>]>([
    ['a tool call that ran', ended('ran')],
    ['a tool call that had been done', ended('verified')],
    ['a step of its own', (session) => session.step('count', {}, () => 1)],
    ['a step of its own that threw', (session) => session.step('count', {}, thrown).catch(() => {})],
    ['results of a loop of its own', (session) => session.record([continued])],
  ])('is not set aside when one of them got %s done: others may have been the cause', async (_what, step) => {
    const { start, store, index } = openPlace()
    for (let i = 0; i < 3; i++) await index.start('s', 60_000)
    const startsNow = async () => (await index.counts()).started
    const agent = agentOf('coder', async (session) => {
      const call = { type: 'tool_use', id: 't1', name: 'count', input: {} }
      const role = 'assistant' as const
      const message = { id: 'm', role, model: 'm', content: [call], stop_reason: 'tool_use' }
      await session.record([
        { type: 'request-sent', model: 'm', attempt: 1 },
        { type: 'response-received', message },
      ])
      const isCounted = async () => expect(await startsNow()).toBe(1)
      await isCounted()
      await step(session, isCounted)
      await expect.poll(startsNow, patient).toBe(0)
      if (session.transcript.unanswered.length > 0) await session.record([continued])
      await answer(session)
    })
    const fleet = start({ coder: agent })
    await fleet.submit('s', 'Go.', { agent: 'coder' })
    await expectEnded(store, ['s'])
  })

  it('is begun when the suspect before it has given its session back, not after a minute', async () => {
    const { start, store, index } = openPlace()
    const ids = ['a', 'b', 'c']
    for (const id of [...ids, ...ids]) await index.start(id, 60_000)
    let [underWay, most] = [0, 0]
    const agent = agentOf('coder', async () => {
      most = Math.max(most, (underWay += 1))
      await index.counts()
      underWay -= 1
    })
    const fleet = start({ coder: agent })
    for (const id of ids) await fleet.submit(id, 'Go.', { agent: 'coder' })
    await expectEnded(store, ids)
    expect(most).toBe(1)
  })

  it('is begun when the suspect before it has finished a step, while that runs on', async () => {
    const { start, store, index } = openPlace()
    const ids = ['a', 'b']
    for (const id of [...ids, ...ids]) await index.start(id, 60_000)
    const begun = new Set<string>()
    let meet = () => {}
    const met = new Promise<void>((resolve) => (meet = resolve))
    const agent = agentOf('coder', async (session) => {
      begun.add(session.id)
      if (begun.size === ids.length) meet()
      await session.step('count', {}, () => 1)
      await met
    })
    const fleet = start({ coder: agent })
    for (const id of ids) await fleet.submit(id, 'Go.', { agent: 'coder' })
    await expectEnded(store, ids)
  })

  it('is begun although the suspect before it could not be opened', async () => {
    const { start, store, told, index } = openPlace()
    for (const id of ['away', 'away', 's', 's']) await index.start(id, 60_000)
    await openTurn(store, 'away', 'coder')
    const broken: Store = {
      ...store,
      async acquire(id, ...rest) {
        if (id !== 'away') return store.acquire(id, ...rest)
        throw new LastgoodError('store-unavailable', 'the store cannot answer', { hint: 'wait' })
      },
    }
    await index.put('away', 0)
    const fleet = start({ coder: agentOf('coder') }, { store: broken, storePatienceMs: 1 })
    await expect.poll(() => told, patient).toContainEqual(expect.objectContaining({ kind: 'trouble' }))
    await fleet.submit('s', 'Go.', { agent: 'coder' })
    await expectEnded(store, ['s'])
  })

  it.each([
    [0, 1_000],
    [3, 8_000],
    [9, 60_000],
  ])('and whose agent throws, after %i starts before, is tried again in %i ms', async (before, againInMs) => {
    const { start, told, index } = openPlace()
    for (let i = 0; i < before; i++) await index.start('s', 60_000)
    const fleet = start({ coder: agentOf('coder', thrown) }, { crashLimit: 20 })
    await fleet.submit('s', 'Go.', { agent: 'coder' })
    await expect.poll(() => told, patient).toContainEqual(expect.objectContaining({ kind: 'failed', againInMs }))
  })

  it('because its agent throws is tried again later, then set aside; what was thrown is told without content', async () => {
    const { start, store, told } = openPlace()
    let runs = 0
    const broken = agentOf('coder', async () => {
      runs += 1
      throw new Error('secret words of a prompt')
    })
    const fleet = start({ coder: broken }, { crashLimit: 1 })
    await fleet.submit('s', 'Go.', { agent: 'coder' })
    await expect.poll(() => told, patient).toContainEqual(expect.objectContaining({ kind: 'set-aside', starts: 1 }))
    expect(runs).toBe(1)
    const failed = { kind: 'failed', sessionId: 's', agent: 'coder', code: 'unknown', againInMs: 1_000 }
    expect(told).toContainEqual(failed)
    expect(JSON.stringify(told)).not.toContain('secret')
    expect(await store.summary('s')).toMatchObject({ head: { status: 'needs-input' } })
  })

  it('P6: because a step of its own is in doubt waits for a person at once, with that reason and the command', async () => {
    const { start, store, told, index } = openPlace()
    await openTurn(store, 's', 'coder', async (session) => {
      void session.step('deploy', {}, () => new Promise(() => {})).catch(() => {})
      await expect.poll(() => session.seq).toBe(3)
    })
    let runs = 0
    const agent = agentOf('coder', async (session) => {
      runs += 1
      await session.step('deploy', {}, () => 'again')
    })
    const fleet = start({ coder: agent })
    await fleet.submit('s', 'Go.', { agent: 'coder' })
    const reason = expect.stringMatching(/step deploy was started before, .* Continue with: lastgood resume s$/)
    await expect.poll(() => told, patient).toContainEqual({ kind: 'suspended', sessionId: 's', agent: 'coder', reason })
    expect(runs).toBe(1)
    expect(await store.summary('s')).toMatchObject({ head: { status: 'needs-input', reason }, holder: null })
    await expect.poll(() => index.counts(), patient).toEqual({ due: 0, later: 0, started: 0 })
  })

  it('a fault that cannot be won is told once and leaves no row', async () => {
    const { start, told, index } = openPlace()
    const agent = agentOf('coder', async (session) => {
      await session.record([
        { type: 'request-sent', model: 'm', attempt: 1 },
        { type: 'fault-observed', fault: { kind: 'too-large' }, decision: { kind: 'fail', reason: 'too large' } },
      ])
      throw new Error('413')
    })
    const fleet = start({ coder: agent })
    await fleet.submit('s', 'Go.', { agent: 'coder' })
    const suspended = { kind: 'suspended', sessionId: 's', agent: 'coder', reason: 'too large' }
    await expect.poll(() => told, patient).toContainEqual(suspended)
    await expect.poll(() => index.counts(), patient).toEqual({ due: 0, later: 0, started: 0 })
  })
})
