/** What comes after the line that wins a lease fails, or takes long: who asked is told why, and others have what is theirs (P5). */
import type * as Files from 'node:fs/promises'
import { constants } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { owner } from '../testing/entries.ts'
import { add, all, codeOf, place, taken } from './file.fixture.ts'

type Step = 'journal' | 'folder' | 'lease file' | 'name of the lease file'
/** Called before each step that puts something on disk or in its place. */
let onStep: (step: Step) => Promise<void> = async () => {}

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof Files>()
  const isLease = (path: unknown) => typeof path === 'string' && path.includes('.lease.')
  const writeFile: typeof real.writeFile = async (path, ...args) => {
    if (isLease(path)) await onStep('lease file')
    return real.writeFile(path, ...args)
  }
  const rename: typeof real.rename = async (...args) => {
    if (isLease(args[0])) await onStep('name of the lease file')
    return real.rename(...args)
  }
  const open: typeof real.open = async (...args) => {
    const handle = await real.open(...args)
    const [sync, datasync] = [handle.sync.bind(handle), handle.datasync.bind(handle)]
    handle.sync = () => onStep('folder').then(sync)
    if (Number(args[1]) & constants.O_CREAT) handle.datasync = () => onStep('journal').then(datasync)
    return handle
  }
  return { ...real, writeFile, rename, open }
})

/** Does this before the next such step. */
function once(what: Step, job: () => Promise<unknown>): void {
  onTestFinished(() => void (onStep = async () => {}))
  onStep = async (step) => {
    if (step !== what) return
    onStep = async () => {}
    await job()
  }
}

test.each(['journal', 'folder', 'lease file', 'name of the lease file'] as const)(
  'a %s that is refused is told with its cause, and the session is free for the next at once',
  async (what) => {
    const { open, sessions } = await place()
    const first = open()
    const entries = await add(first, await taken(first), 0)
    once(what, () => Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' })))
    await expect(taken(open(), 'bob', 1)).rejects.toMatchObject({
      code: 'store-unavailable',
      details: { code: 'ENOSPC' },
      cause: expect.objectContaining({ code: 'ENOSPC' }),
    })
    expect((await open().summary('s'))?.holder).toBeNull()
    const lease = await taken(open(), 'eve')
    expect((await open().summary('s'))?.holder?.owner).toEqual(owner('eve'))
    entries.push(...(await add(open(), lease, 1)))
    expect(await all(open())).toEqual(entries)
    expect((await readdir(sessions)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  },
)

test.each(['folder', 'lease file', 'name of the lease file'] as const)(
  'who takes over before the %s of a new session is there keeps the blobs that were acknowledged (P1)',
  async (what) => {
    const { open } = await place()
    const [blob, second] = ['a'.repeat(64), open()]
    const slow = open()
    // The folders are there, and only the session is new.
    await slow.acquire('other', owner('ann'), 1000)
    once(what, async () => {
      const lease = await taken(second, 'bob', 1)
      await second.putBlob(lease, blob, 'text')
      await add(second, lease, 0)
    })
    const stale = await taken(slow)
    expect(await open().readBlob('s', blob)).toBe('text')
    expect(await codeOf(add(slow, stale, 0))).toBe('lease-lost')
    expect(await all(open())).toHaveLength(1)
  },
)

test('who takes a session again before anything is recorded keeps its blobs, and so does who takes it over', async () => {
  const { open } = await place()
  const [store, blob] = [open(), 'a'.repeat(64)]
  const first = await taken(store)
  await store.putBlob(first, blob, 'text')
  const second = await taken(store)
  const third = await taken(open(), 'bob', second.fence)
  expect(await open().readBlob('s', blob)).toBe('text')
  await add(open(), third, 0)
})

test('a lease file that gets its name late forgets neither the renewal nor the release of the next holder', async () => {
  for (const next of ['renewed', 'released', 'released by the one after a holder that died']) {
    const { open, lease: path } = await place()
    const [slow, second] = [open(), open()]
    const stale = await taken(slow)
    let expected: number | undefined
    once('name of the lease file', async () => {
      if (next.endsWith('died')) {
        once('lease file', () => Promise.reject(new Error('killed')))
        await codeOf(taken(open(), 'dead', stale.fence))
      }
      const lease = await taken(second, 'bob', (await open().summary('s'))?.holder?.fence ?? stale.fence)
      await add(second, lease, 0)
      if (next === 'renewed') await second.renew(lease, 7_200_000)
      else await second.release(lease)
      expected = (await open().summary('s'))?.holder?.expiresAt
    })
    expect([next, await slow.renew(stale, 600_000)]).toEqual([next, false])
    expect([next, (await open().summary('s'))?.holder?.expiresAt]).toEqual([next, expected])
    expect([next, (await readdir(dirname(path))).filter((name) => name.endsWith('.tmp'))]).toEqual([next, []])
  }
})
