import { describe, expect, it } from 'vitest'
import { agentOf, expectEnded, openPlace, patient, untilAborted } from '../test/fixture.ts'

/** An agent that hangs until it is stopped, and says when it has begun. */
function hanging(onAbort: () => Promise<void> = async () => {}) {
  let begin = () => {}
  const begun = new Promise<void>((resolve) => (begin = resolve))
  const agent = agentOf('coder', async (_session, signal) => {
    begin()
    await untilAborted(signal).catch(async (error: unknown) => {
      await onAbort()
      throw error
    })
  })
  return { agent, begun }
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

  it('P2: gives a tool that is under way its time to end and be recorded', async () => {
    const { start, store } = openPlace()
    let run = 0
    const { agent, begun } = hanging(async () => {
      await new Promise((resolve) => setImmediate(resolve))
      run += 1
    })
    const fleet = start({ coder: agent })
    await fleet.submit('s', 'Go.', { agent: 'coder' })
    await begun
    await fleet.close()
    expect(run).toBe(1)
    expect(await store.summary('s')).toMatchObject({ head: { status: 'running' }, holder: null })
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

  it('is closed once, however often it is asked', async () => {
    const { start } = openPlace()
    const fleet = start({ coder: agentOf('coder') })
    const closing = Promise.all([fleet.close(), fleet.close(), fleet[Symbol.asyncDispose]()])
    await expect(closing).resolves.toHaveLength(3)
  })
})

describe('a fleet that is drained', () => {
  it('ends what is under way and takes nothing new until it is told to', async () => {
    const { start, store } = openPlace()
    let [go, begin] = [() => {}, () => {}]
    const [gate, begun] = [
      new Promise<void>((resolve) => (go = resolve)),
      new Promise<void>((resolve) => (begin = resolve)),
    ]
    const fleet = start({
      coder: agentOf('coder', async () => {
        begin()
        await gate
      }),
    })
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
})
