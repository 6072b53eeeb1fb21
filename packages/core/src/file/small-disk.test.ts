/** A disk that is really full, has no more files, or is mounted read-only: told, nothing acknowledged is lost, and space cures it. */
import { readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openSession } from '../session/open-session.ts'
import { removeSession } from '../store/removal.ts'
import type { Lease, Store } from '../store/store.ts'
import { owner } from '../testing/entries.ts'
import { add, all, codeOf, taken } from './file.fixture.ts'
import { fileStore } from './file-store.ts'
import { smallDisk, whyNoDisk } from './small-disk.fixture.ts'

const reason = whyNoDisk()
const blob = 'b'.repeat(64)

async function started(options = 'size=256k') {
  const disk = smallDisk(options)
  const open = () => fileStore({ dir: join(disk.path, 'state') })
  const store = open()
  const lease = await taken(store)
  const entries = await add(store, lease, 0, 2)
  return { disk, open, store, lease, entries }
}

/** Every kind of write, as a call that needs room for more than the rest of a page. */
const writes: Readonly<Record<string, (store: Store, lease: Lease) => Promise<unknown>>> = {
  append: (store, lease) => add(store, lease, 2, 1, 'x'.repeat(10_000)),
  'a new session': (store) => store.acquire('new', owner('bob'), 1000),
  'the lease file': (store, lease) => store.renew(lease, 700_000),
  'a blob': (store, lease) => store.putBlob(lease, blob, 'text'),
  'a shared record': (store) => store.shared.write('k', 0, 1),
}

async function temporaries(dir: string): Promise<string[]> {
  return (await readdir(dir, { recursive: true })).filter((name) => name.endsWith('.tmp'))
}

describe.skipIf(reason !== undefined)(`on a small disk${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  for (const [name, write] of Object.entries(writes)) {
    test(`${name}: a full disk is store-unavailable with a hint, leaves no rest, and is well again with space (P1, P5)`, async () => {
      const { disk, open, store, lease, entries } = await started()
      disk.fill()
      await expect(write(store, lease)).rejects.toMatchObject({
        code: 'store-unavailable',
        details: { code: 'ENOSPC' },
        hint: expect.stringContaining('free some space'),
      })
      expect(await temporaries(disk.path)).toEqual([])
      expect(await all(open())).toEqual(entries)
      expect((await open().summary('s'))?.holder).toMatchObject({ owner: owner('ann') })

      disk.free()
      expect(await codeOf(write(store, lease))).toBe('ok')
      expect((await all(open())).slice(0, 2)).toEqual(entries)
    })
  }

  test('a session that cannot go, because nothing can be written, is told with its files; without them there is room', async () => {
    const { disk, store, lease } = await started()
    await store.release(lease)
    disk.fill()
    const journal = store.journalAt('s')
    await expect(removeSession(store, 's')).rejects.toMatchObject({
      code: 'store-unavailable',
      details: { code: 'ENOSPC' },
      hint: expect.stringContaining(
        `while no process uses the session, delete by hand ${journal} and everything beside it`,
      ),
    })
    const beside = (await readdir(dirname(journal))).filter((name) => name.startsWith('s.'))
    for (const name of beside) await rm(join(dirname(journal), name), { recursive: true })
    expect(await store.summary('s')).toBeUndefined()
    await add(store, await taken(store), 0)
  })

  test('a folder for which no file is left is store-unavailable, too [inodes]', async () => {
    // The root, state, sessions, journal, lease file and the temporary file of the next one.
    const { disk, store, open, lease, entries } = await started('size=1m,nr_inodes=6')
    for (const call of [() => store.putBlob(lease, blob, 'text'), () => store.acquire('new', owner('bob'), 1000)])
      expect(await codeOf(call())).toBe('store-unavailable')
    expect(await temporaries(disk.path)).toEqual([])
    await add(store, lease, 2)
    expect((await all(open())).slice(0, 2)).toEqual(entries)
    const none = smallDisk('size=1m,nr_inodes=2')
    expect(await codeOf(taken(fileStore({ dir: join(none.path, 'a', 'b') })))).toBe('store-unavailable')
  })

  test('a disk that fills in the middle of a session and is freed: it goes on, and every acknowledged entry is there (P1)', async () => {
    const disk = smallDisk('size=256k')
    const open = () => fileStore({ dir: join(disk.path, 'state') })
    const store = open()
    const lease = await taken(store)
    let seq = 0
    const acknowledged: unknown[] = []
    for (let round = 0; round < 5; round++) {
      disk.fill(6)
      // Appends of about a page and a half, until one is refused: it ends at any byte of its line.
      for (;;) {
        const text = 'x'.repeat(5000 + round * 777)
        const outcome = await add(store, lease, seq, 1, text).catch((error: { code: string }) => error.code)
        if (typeof outcome === 'string') {
          expect(outcome).toBe('store-unavailable')
          break
        }
        acknowledged.push(...outcome)
        seq += 1
      }
      expect(await all(open())).toEqual(acknowledged)
      disk.free()
      acknowledged.push(...(await add(store, lease, seq, 1, 'again')))
      seq += 1
      expect(await all(open())).toEqual(acknowledged)
    }
    expect(acknowledged.length).toBeGreaterThan(10)
  })

  test('a session whose disk is full goes on by itself once there is space (P1, P5)', async () => {
    const disk = smallDisk('size=256k')
    const open = () => fileStore({ dir: join(disk.path, 'state') })
    const [inner, refusals] = [open(), [] as string[]]
    const append: Store['append'] = async (...args) => {
      const appending = inner.append(...args)
      refusals.push(await codeOf(appending))
      return appending
    }
    const session = await openSession('s', { store: { ...inner, append } })
    disk.fill()
    const text = 'x'.repeat(20_000)
    const turn = session.startTurn([{ role: 'user', content: text }], 'coder')
    await expect.poll(() => refusals).toContain('store-unavailable')
    disk.free()
    await turn
    expect(session.messages()).toEqual([{ role: 'user', content: text }])
    await session.close()
    expect((await all(open())).map(({ type }) => type)).toContain('turn-started')
  })

  test('a disk that is mounted read-only can be read, and every write is store-unavailable and changes nothing (P5)', async () => {
    const { disk, open, store, lease, entries } = await started()
    const before = await readdir(disk.path, { recursive: true })
    disk.remount('ro')
    for (const [name, write] of Object.entries(writes)) {
      const error = await write(store, lease).catch((refused: unknown) => refused)
      expect([name, error]).toMatchObject([name, { code: 'store-unavailable', details: { code: 'EROFS' } }])
    }
    expect(await codeOf(store.remove('s'))).not.toBe('ok')
    expect(await all(open())).toEqual(entries)
    expect((await open().summary('s'))?.head.seq).toBe(2)
    expect(await readdir(disk.path, { recursive: true })).toEqual(before)
    disk.remount('rw')
    expect(await codeOf(add(store, lease, 2))).toBe('ok')
  })
})
