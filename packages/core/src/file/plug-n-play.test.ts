/** Under Yarn's Plug'n'Play `node:fs/promises` is Yarn's own, whose handles lack what is made to be lacking here. */
import type * as Files from 'node:fs/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { add, all, place, taken } from './file.fixture.ts'
import { syncFolder } from './folder.ts'

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof Files>()
  const lacking = () => {
    throw new Error('Method not implemented.')
  }
  const open: typeof real.open = async (...args) =>
    Object.assign(await real.open(...args), { datasync: lacking, sync: lacking, utimes: lacking, readv: lacking })
  return { ...real, open }
})

const versions: Record<string, string | undefined> = process.versions
beforeAll(() => void (versions['pnp'] = '3'))
afterAll(() => void delete versions['pnp'])

test("a session is written, taken over, read and removed under Yarn's Plug'n'Play (P1)", async () => {
  const { open } = await place()
  const [first, name] = [await taken(open()), 'a'.repeat(64)]
  const entries = await add(open(), first, 0)
  await open().putBlob(first, name, 'text')
  const second = await taken(open(), 'bob', first.fence)
  entries.push(...(await add(open(), second, 1)))
  expect(await all(open())).toEqual(entries)
  expect(await open().readBlob('s', name)).toBe('text')
  await open().remove('s', second)
  expect(await open().summary('s')).toBeUndefined()
})

test.skipIf(process.platform !== 'linux')('what refuses to be synced is an error there, too (P5)', async () => {
  await expect(syncFolder('/proc/self/fd')).rejects.toMatchObject({ code: 'EINVAL', syscall: 'fsync' })
})
