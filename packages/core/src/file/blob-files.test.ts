import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { codeOf, place, taken } from './file.fixture.ts'

const name = 'a'.repeat(64)

test('what a crash left half-written has no name, so nobody finds it, and the next one is whole', async () => {
  const { open, sessions } = await place()
  const store = open()
  const lease = await taken(store)
  const blobs = join(sessions, 's.blobs')
  await mkdir(blobs)
  await writeFile(join(blobs, `${name}.killed.tmp`), 'hal')
  expect(await open().readBlob('s', name)).toBeUndefined()
  await store.putBlob(lease, name, 'half and half')
  expect(await open().readBlob('s', name)).toBe('half and half')
})

test('ten writers of one blob at once leave it whole, once, and nothing else', async () => {
  const { open, sessions } = await place()
  const lease = await taken(open())
  const text = 'é'.repeat(100_000)
  await Promise.all(Array.from({ length: 10 }, () => open().putBlob(lease, name, text)))
  expect(await open().readBlob('s', name)).toBe(text)
  expect(await readdir(join(sessions, 's.blobs'))).toEqual([name])
})

test('a removed session takes its blobs with it, also half-written ones, and its late writer leaves none (P3)', async () => {
  const { open, sessions } = await place()
  const store = open()
  const lease = await taken(store)
  await store.putBlob(lease, name, 'text')
  await writeFile(join(sessions, 's.blobs', `${name}.killed.tmp`), 'te')
  await store.release(lease)
  await store.remove('s')
  expect(await codeOf(store.putBlob(lease, name, 'late'))).toBe('lease-lost')
  expect(await readdir(sessions)).toEqual([])
})
