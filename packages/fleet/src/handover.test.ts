import { runToolCalls, type Store, type ToolContext } from '@lastgood/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startRedis } from '../../../test/support/redis-server.ts'
import { agentOf, connect, expectEnded, openPlace, openTurn, patient, untilAborted } from '../test/fixture.ts'

/** An agent that hangs until it is stopped, and says when it has begun. */
function hanging() {
  let begin = () => {}
  const begun = new Promise<void>((resolve) => (begin = resolve))
  const agent = agentOf('coder', async (_session, signal) => {
    begin()
    await untilAborted(signal)
  })
  return { agent, begun }
}

/** An agent that waits at a gate, and says when it is there. */
function gated() {
  let [go, begin] = [() => {}, () => {}]
  const gate = new Promise<void>((resolve) => (go = resolve))
  const begun = new Promise<void>((resolve) => (begin = resolve))
  const agent = agentOf('coder', async () => {
    begin()
    await gate
  })
  return { agent, begun, go }
}

describe('a fleet that is closed', () => {
  it('hands its sessions over, and another worker goes on within two seconds', async () => {
    const { start, store, told } = openPlace()
    const { agent, begun } = hanging()
    const first = start({ coder: agent })
    await first.submit('s', 'Go.', { agent: 'coder' })
    await begun
    start({ coder: agentOf('coder') })
    const from = Date.now()
    await first.close()
    await expectEnded(store, ['s'])
    expect(Date.now() - from).toBeLessThan(2_000)
    expect(told).toContainEqual({ kind: 'handed-over', sessionId: 's', agent: 'coder' })
    expect(told.filter(({ kind }) => kind === 'trouble')).toEqual([])
  })

  it('P2: gives a tool that is under way its time to end, and what it did is recorded', async () => {
    const { start, store } = openPlace()
    let begin = () => {}
    const begun = new Promise<void>((resolve) => (begin = resolve))
    const deploy = {
      inDoubt: 'report' as const,
      async run(_input: unknown, { toolUseId, signal }: ToolContext) {
        begin()
        await untilAborted(signal).catch(() => {})
        return { type: 'tool_result', tool_use_id: toolUseId, content: 'rolled back' }
      },
    }
    const agent = agentOf('coder', async (session, signal) => {
      const call = { type: 'tool_use', id: 't1', name: 'deploy', input: {} }
      const role = 'assistant' as const
      const message = { id: 'm', role, model: 'm', content: [call], stop_reason: 'tool_use' }
      await session.record([
        { type: 'request-sent', model: 'm', attempt: 1 },
        { type: 'response-received', message },
      ])
      await runToolCalls(session, { find: () => deploy }, { signal })
      await session.record([])
      signal.throwIfAborted()
    })
    const fleet = start({ coder: agent })
    await fleet.submit('s', 'Go.', { agent: 'coder' })
    await begun
    await fleet.close()
    expect(await store.summary('s')).toMatchObject({ head: { status: 'running' }, holder: null })
    const finished = []
    for await (const entry of store.read('s')) if (entry.type === 'tool-finished') finished.push(entry)
    expect(finished).toMatchObject([{ outcome: 'ran', result: { content: 'rolled back' } }])
  })

  it('does not wait for a tool that does not hear of it', async () => {
    const { start, store, keys } = openPlace()
    let begin = () => {}
    const begun = new Promise<void>((resolve) => (begin = resolve))
    const deaf = agentOf('coder', () => {
      begin()
      return new Promise(() => {})
    })
    const fleet = start({ coder: deaf }, { graceMs: 100 })
    await fleet.submit('s', 'Go.', { agent: 'coder' })
    await begun
    await fleet.close()
    expect(await store.summary('s')).toMatchObject({ head: { status: 'running' }, holder: null })
    expect((await keys()).filter((key) => /:(active|wait|prioritized|stalled)$|:lock$|session-/.test(key))).toEqual([])
  })

  it('hands over also what it was opening just then', async () => {
    const { start, store, told, index } = openPlace()
    await openTurn(store, 's', 'coder')
    await index.put('s', 0)
    let [open, ask] = [() => {}, () => {}]
    const [gate, asked] = [
      new Promise<void>((resolve) => (open = resolve)),
      new Promise<void>((resolve) => (ask = resolve)),
    ]
    const slow: Store = {
      ...store,
      async acquire(...args) {
        ask()
        await gate
        return store.acquire(...args)
      },
    }
    const fleet = start({ coder: hanging().agent }, { store: slow, graceMs: 100 })
    await asked
    const closed = fleet.close()
    open()
    await closed
    expect(told).toContainEqual({ kind: 'handed-over', sessionId: 's', agent: 'coder' })
    expect(await store.summary('s')).toMatchObject({ head: { status: 'running' }, holder: null })
    // However often a fleet is redeployed, that sets no session aside.
    expect(await index.counts()).toMatchObject({ started: 0 })
  })

  it('counts the time that it gives from when it is closed: nothing ends early that runs longer', async () => {
    const { start, store, told } = openPlace()
    const { agent, begun, go } = gated()
    const fleet = start({ coder: agent, quick: agentOf('quick') }, { graceMs: 1 })
    await fleet.submit('s', 'Go.', { agent: 'coder' })
    await begun
    await fleet.submit('beside', 'Go.', { agent: 'quick' })
    await expectEnded(store, ['beside'])
    go()
    await expectEnded(store, ['s'])
    expect(told.filter(({ kind }) => kind === 'failed')).toEqual([])
  })

  it('is closed once, however often it is asked', async () => {
    const { start } = openPlace()
    const fleet = start({ coder: agentOf('coder') })
    const closing = Promise.all([fleet.close(), fleet.close(), fleet[Symbol.asyncDispose]()])
    await expect(closing).resolves.toHaveLength(3)
  })
})

it('a session that runs on although its job is gone, as after a pause of the process, is no trouble', async () => {
  const { start, store, told, redis, prefix } = openPlace()
  let go = () => {}
  const gate = new Promise<void>((resolve) => (go = resolve))
  const fleet = start({ coder: agentOf('coder', () => gate) })
  for (const id of ['s', 'beside']) await fleet.submit(id, 'Go.', { agent: 'coder' })
  const started = () => told.filter(({ kind }) => kind === 'started').length
  await expect.poll(started, patient).toBe(2)
  const lockOf = (id: string) => `{${prefix}:fleet}:coder:session-${id}.2:lock`
  expect(await redis.del(lockOf('s'))).toBe(1)
  // The locks are renewed together: after the second time, the first has been answered.
  for (let i = 0; i < 2; i++) {
    await redis.pexpire(lockOf('beside'), 60_000)
    await expect.poll(() => redis.pttl(lockOf('beside')), patient).toBeLessThanOrEqual(5_000)
  }
  go()
  await expectEnded(store, ['s', 'beside'])
  expect(told.filter(({ kind }) => kind === 'trouble')).toEqual([])
})

describe('a fleet that is drained', () => {
  it('ends what is under way and takes nothing new until it is told to', async () => {
    const { start, store } = openPlace()
    const { agent, begun, go } = gated()
    const fleet = start({ coder: agent })
    await fleet.submit('under-way', 'Go.', { agent: 'coder' })
    await begun
    const drained = fleet.drain()
    await fleet.submit('later', 'Go.', { agent: 'coder' })
    go()
    await drained
    expect(await store.summary('under-way')).toMatchObject({ head: { lastGoodTurn: 1 } })
    expect(await store.summary('later')).toMatchObject({ head: { lastGoodTurn: 0 }, holder: null })
    await fleet.takeAgain()
    await expectEnded(store, ['later'])
    await expect.poll(() => fleet.status(), patient).toMatchObject({ agents: { coder: { waiting: 0, active: 0 } } })
  })

  it('is drained for all who ask when what is under way has ended, or when it takes again before', async () => {
    const { start, store } = openPlace()
    const { agent, begun, go } = gated()
    const fleet = start({ coder: agent })
    await fleet.submit('under-way', 'Go.', { agent: 'coder' })
    await begun
    let isDrained = false
    const all = [fleet.drain(), fleet.drain().then(() => (isDrained = true))]
    await fleet.status()
    expect(isDrained).toBe(false)
    await fleet.takeAgain()
    await Promise.all(all)
    expect(await store.summary('under-way')).toMatchObject({ head: { lastGoodTurn: 0 } })
    await fleet.submit('later', 'Go.', { agent: 'coder' })
    go()
    await expectEnded(store, ['under-way', 'later'])
  })

  it('is drained also while its server is away, and takes again when that is back', async () => {
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const { start, store, told } = openPlace(connect(server.url, { commandTimeout: 1_000 }))
    const fleet = start({ coder: agentOf('coder') })
    await fleet.submit('before', 'Go.', { agent: 'coder' })
    await expectEnded(store, ['before'])
    await server.kill()
    const trouble = expect.objectContaining({ kind: 'trouble', where: 'queue' })
    await expect.poll(() => told, patient).toContainEqual(trouble)
    await fleet.drain()
    await server.restart()
    await fleet.takeAgain()
    await fleet.submit('after', 'Go.', { agent: 'coder' })
    await expectEnded(store, ['before', 'after'])
  })

  it('leaves what it was waiting for to the other workers, soon', async () => {
    const { start, store, told } = openPlace()
    const [one, other] = [start({ coder: agentOf('coder') }), start({ coder: agentOf('coder') })]
    await one.submit('s', 'Go.', { agent: 'coder' })
    await expectEnded(store, ['s'])
    // Each is waiting for a job when it is drained, and so may get one.
    await one.drain()
    await other.drain()
    const ids = ['a', 'b', 'c']
    for (const id of ids) await one.submit(id, 'Go.', { agent: 'coder' })
    await expect.poll(() => one.status(), patient).toMatchObject({ agents: { coder: { active: 0 } } })
    expect(told.filter(({ kind }) => kind === 'started')).toHaveLength(1)
    await other.takeAgain()
    await expectEnded(store, ids)
  })
})
