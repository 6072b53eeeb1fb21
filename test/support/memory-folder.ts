import { readFileSync, statfsSync } from 'node:fs'

const folder = '/dev/shm'
const roomBytes = 2 * 1024 ** 3

/**
 * For short-lived files of tests: tests kill processes, never the power, and a disk makes them wait at every sync.
 * Undefined if there is no folder in memory, too little room in it, or no program may be run from it.
 */
export function memoryFolder(): string | undefined {
  try {
    const mount = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .find((line) => line.split(' ')[1] === folder)
    const options = mount?.split(' ')[3]?.split(',') ?? ['noexec']
    const { bavail, bsize } = statfsSync(folder)
    return options.includes('noexec') || options.includes('ro') || bavail * bsize < roomBytes ? undefined : folder
  } catch {
    return undefined
  }
}
