// Finds a Chromium: LASTGOOD_CHROMIUM, else one in PATH, else, in CI as root on Debian, one from its packages.

import { execFileSync } from 'node:child_process'
import { accessSync, constants, mkdirSync, rmdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const minutesToWait = 10

export type Found = { path: string } | { missing: string }

export async function findChromium(env: NodeJS.ProcessEnv): Promise<Found> {
  const { LASTGOOD_CHROMIUM: named, CI } = env
  if (named !== undefined && named !== '') {
    if (isProgram(named)) return { path: named }
    throw new Error(`LASTGOOD_CHROMIUM names ${named}, which is no program`)
  }
  const found = inPath(env)
  if (found !== undefined) return { path: found }
  const hint = 'install one (apt-get install chromium), or name it in LASTGOOD_CHROMIUM'
  if (CI === undefined || CI === '' || CI === 'false') return { missing: `no Chromium found: ${hint}` }
  if (process.getuid?.() !== 0) throw new Error(`no Chromium found, and only root can install one: ${hint}`)
  await install()
  const installed = inPath(env)
  if (installed === undefined)
    throw new Error(`the package chromium was installed, but there is no such program: ${hint}`)
  return { path: installed }
}

function inPath({ PATH = '' }: NodeJS.ProcessEnv): string | undefined {
  return PATH.split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Two runs at once would fight over the package manager: a folder is the lock, as making one cannot succeed twice. */
async function install(): Promise<void> {
  const lock = join(tmpdir(), 'lastgood-installs-chromium')
  for (let second = 0; !lockedAt(lock); second++) {
    if (second > minutesToWait * 60)
      throw new Error(`another run has been installing Chromium for long: remove ${lock}`)
    await sleep(1_000)
  }
  try {
    if (inPath(process.env) !== undefined) return
    process.stderr.write('installing Chromium for the browser tests (apt-get), once\n')
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const apt = (...args: string[]): void =>
      void execFileSync('apt-get', args, { env, stdio: 'pipe', timeout: 8 * 60_000 })
    apt('update', '-qq')
    apt('install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-dejavu-core')
  } finally {
    rmdirSync(lock)
  }
}

function lockedAt(path: string): boolean {
  try {
    mkdirSync(path)
    return true
  } catch {
    return false
  }
}
