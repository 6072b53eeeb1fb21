// Where the browser of these tests comes from, and what is said where there is none.

import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { newFolder } from '../support/folder.ts'
import { findChromium } from './support/find-chromium.ts'

function folderWith(...names: string[]): string {
  const folder = newFolder()
  for (const name of names) {
    writeFileSync(join(folder, name), '#!/bin/sh\n')
    chmodSync(join(folder, name), 0o755)
  }
  return folder
}

it('the one that is named is taken, else the first in PATH; a name that is no program is an error, not another browser', async () => {
  const folder = folderWith('google-chrome', 'other')
  expect(await findChromium({ PATH: folder })).toEqual({ path: join(folder, 'google-chrome') })
  expect(await findChromium({ PATH: folder, LASTGOOD_CHROMIUM: join(folder, 'other') })).toEqual({
    path: join(folder, 'other'),
  })
  await expect(findChromium({ PATH: folder, LASTGOOD_CHROMIUM: '/nowhere/chromium' })).rejects.toThrow(
    'LASTGOOD_CHROMIUM names /nowhere/chromium',
  )
})

it('without one, the reason names what to do', async () => {
  expect(await findChromium({ PATH: folderWith() })).toEqual({
    missing: expect.stringContaining('apt-get install chromium'),
  })
})
