/** What comes after the line that wins a lease fails: the lease is given back, and who asked is told why (P5). */
import type * as Files from 'node:fs/promises'
import { readdir } from 'node:fs/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { owner } from '../testing/entries.ts'
import { add, all, place, taken } from './file.fixture.ts'

let broken: 'lease file' | 'folder' | undefined

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof Files>()
  const refused = () => Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' }))
  const writeFile: typeof real.writeFile = (path, ...args) =>
    broken === 'lease file' && typeof path === 'string' && path.includes('.lease.')
      ? refused()
      : real.writeFile(path, ...args)
  const open: typeof real.open = async (...args) => {
    const handle = await real.open(...args)
    if (broken === 'folder' && args[1] === 'r') handle.sync = refused
    return handle
  }
  return { ...real, writeFile, open }
})

test.each(['lease file', 'folder'] as const)(
  'a %s that cannot be written is told with its cause, and the session is free for the next at once',
  async (what) => {
    onTestFinished(() => void (broken = undefined))
    const { open, sessions } = await place()
    const first = open()
    const entries = await add(first, await taken(first), 0)
    broken = what
    await expect(taken(open(), 'bob', 1)).rejects.toMatchObject({
      code: 'store-unavailable',
      details: { code: 'ENOSPC' },
      cause: expect.objectContaining({ code: 'ENOSPC' }),
    })
    expect((await open().summary('s'))?.holder).toBeNull()
    broken = undefined
    const lease = await taken(open(), 'eve')
    expect((await open().summary('s'))?.holder?.owner).toEqual(owner('eve'))
    entries.push(...(await add(open(), lease, 1)))
    expect(await all(open())).toEqual(entries)
    expect((await readdir(sessions)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  },
)
