/** A disk of a few hundred KiB that a test can really fill: a tmpfs of its own. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, rmdirSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

const system = (command: string, ...args: readonly string[]) =>
  execFileSync('sh', ['-c', `${command} "$@"`, 'sh', ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
const mount = (...args: readonly string[]) => system('mount', ...args)
const unmount = (path: string) => system('umount -l', path)

/** Why no disk can be mounted here; undefined if one can. */
export function whyNoDisk(): string | undefined {
  if (process.platform !== 'linux') return 'tmpfs is of Linux'
  if (process.getuid?.() !== 0) return 'only root may mount'
  const path = mkdtempSync(join(tmpdir(), 'lastgood-mount-'))
  try {
    mount('-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path)
    unmount(path)
    return undefined
  } catch (error) {
    return `mount was refused: ${String((error as { stderr?: unknown }).stderr ?? error).trim()}`
  } finally {
    rmdirSync(path)
  }
}

/** `options` are those of tmpfs: `size=256k`, `nr_inodes=20`. Unmounted after the test. */
export function smallDisk(options: string) {
  const path = mkdtempSync(join(tmpdir(), 'lastgood-disk-'))
  mount('-t', 'tmpfs', '-o', options, 'tmpfs', path)
  onTestFinished(() => {
    unmount(path)
    rmdirSync(path)
  })
  const ballast = join(path, 'ballast')
  return {
    path,
    /** Leaves room for `pages` pages of 4 KiB. */
    fill(pages = 0) {
      mkdirSync(ballast, { recursive: true })
      for (let i = 0; statfsSync(path).bavail > pages; i++)
        writeFileSync(join(ballast, String(i)), Buffer.alloc(4096 * (statfsSync(path).bavail - pages)))
    },
    free: () => rmSync(ballast, { recursive: true, force: true }),
    remount: (how: 'ro' | 'rw') => mount('-o', `remount,${how}`, path),
  }
}
