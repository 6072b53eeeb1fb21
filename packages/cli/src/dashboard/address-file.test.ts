import { readFileSync } from 'node:fs'
import type * as Files from 'node:fs/promises'
import { join } from 'node:path'
import { ManualClock } from '@lastgood/core/testing'
import { expect, it, vi } from 'vitest'
import { newFolder } from '../../test/context.ts'
import type { CliContext } from '../context.ts'
import { writeAddress } from './address-file.ts'

const synced = vi.hoisted(() => [] as string[])

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof Files>()
  const open: typeof real.open = async (...args) => {
    const handle = await real.open(...args)
    const sync = handle.sync.bind(handle)
    return Object.assign(handle, { sync: () => sync().then(() => void synced.push(String(args[0]))) })
  }
  return { ...real, open }
})

it.skipIf(process.platform === 'win32')(
  'the folder of all sessions, where the address makes it, has a name that a power cut does not take (P1)',
  async () => {
    const home = newFolder()
    const context = { env: {}, home, clock: new ManualClock() } as unknown as CliContext
    const file = await writeAddress(context, '4141', 'http://127.0.0.1:4141/')
    expect(readFileSync(file?.path ?? '', 'utf8')).toBe('http://127.0.0.1:4141/\n')
    const folders = ['', '.local', '.local/state', '.local/state/lastgood'].map((path) => join(home, path))
    expect(synced).toEqual(expect.arrayContaining(folders))
  },
)
