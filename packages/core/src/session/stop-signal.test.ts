import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { memoryStore } from '../store/memory-store.ts'
import { openSession } from './open-session.ts'

async function open() {
  const session = await openSession('s', { store: memoryStore() })
  onTestFinished(() => session.close())
  return session
}

describe('the signal of a step', () => {
  test('is one for all that run under the same signal of their caller, on which each would leave something', async () => {
    const session = await open()
    const [stop, seen] = [new AbortController(), new Set<AbortSignal>()]
    const look = () => session.step('look', {}, ({ signal }) => void seen.add(signal), { signal: stop.signal })
    for (let n = 0; n < 3; n += 1) await look()
    const [signal] = seen
    expect([seen.size, signal?.aborted]).toEqual([1, false])
    stop.abort(new Error('enough'))
    expect(signal?.reason).toEqual(new Error('enough'))
    await expect(look()).rejects.toThrow('enough')
  })

  test.each(['its session', 'its caller'])(
    'may have as many listeners as steps run, and ends with %s',
    async (whose) => {
      const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
      onTestFinished(() => warn.mockRestore())
      const session = await open()
      const stop = new AbortController()
      const options = whose === 'its caller' ? { signal: stop.signal } : {}
      const running = Array.from({ length: 12 }, (_, n) =>
        session.step(
          'wait',
          n,
          ({ signal }) =>
            new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => reject(signal.reason as Error))
            }),
          options,
        ),
      )
      const ended = Promise.allSettled(running)
      await session.record([])
      if (whose === 'its caller') stop.abort(new Error('enough'))
      else await session.close()
      expect((await ended).map(({ status }) => status)).toEqual(running.map(() => 'rejected'))
      expect(warn).not.toHaveBeenCalled()
    },
  )
})
