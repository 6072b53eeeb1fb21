/** A writer that stands still between its write and its look at the file, while others write much (P1, P3). */
import { expect, test, vi } from 'vitest'
import { add, all, codeOf, place, taken } from './file.fixture.ts'
import type * as OpenFiles from './open-file.ts'

/** Called after the next fdatasync. */
let afterSync: (() => Promise<void>) | undefined

vi.mock('./open-file.ts', async (original) => {
  const real = await original<typeof OpenFiles>()
  const openForAppend: typeof real.openForAppend = (path) => {
    const handle = real.openForAppend(path)
    if (!handle) return undefined
    const datasync = async () => {
      await handle.datasync()
      const next = afterSync
      afterSync = undefined
      await next?.()
    }
    return { ...handle, datasync }
  }
  return { ...real, openForAppend }
})

test.each([1, 63, 64, 200])(
  'a line that counted is acknowledged, and one that lost is not, though %i others came after it',
  async (others) => {
    const { open } = await place()
    const first = open()
    const lease = await taken(first)
    afterSync = async () => {
      const second = open()
      const theirs = await taken(second, 'bob', lease.fence)
      for (let n = 0; n < others; n += 1) await add(second, theirs, 1 + n, 1, 'of bob')
    }
    expect(await codeOf(add(first, lease, 0, 1, 'of ann'))).toBe('ok')
    expect(await all(open())).toHaveLength(1 + others)
    expect(await codeOf(add(first, lease, 1, 1, 'too late'))).toBe('lease-lost')
    expect(await all(open())).toHaveLength(1 + others)
  },
)
