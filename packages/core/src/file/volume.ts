/**
 * Which file system a folder is on, and whether journals are safe there. They need O_APPEND writes that no other host
 * can overwrite, and a file size that is not a stale copy cached from another host.
 *
 * - open(2): "O_APPEND may lead to corrupted files on NFS filesystems if more than one process appends data to a file at
 *   once. This is because NFS does not support appending to a file, so the client kernel has to simulate it, which can't
 *   be done without a race condition." SMB has no append on the wire either; AFS and Coda send a file when it is closed,
 *   and the last one wins.
 * - CephFS keeps clients coherent, but a write across two objects "is not necessarily atomic" between them
 *   (docs.ceph.com/en/reef/cephfs/posix): the chain would detect it, so it is doubtful, not refused. So are file
 *   systems whose server cannot be seen from here: FUSE, 9p.
 * - Numbers: statfs(2), linux/magic.h, and the sources of ZFS and Lustre. They mean something on Linux only: elsewhere
 *   nothing is refused.
 */
import type { StatsFs } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { platform } from 'node:process'
import { LastgoodError } from '../errors.ts'
import { systemCode } from './file-error.ts'

export interface FileSystem {
  name: string
  trust:
    | 'sound'
    /** Appends of two hosts can overwrite each other. */
    | 'refused'
    /** Depends on what is behind it. */
    | 'doubtful'
    /** Lost with the machine's power, or with the container. */
    | 'volatile'
    /** Sound for sessions, but records that they share need hard links. */
    | 'linkless'
}

const kinds: Readonly<Record<FileSystem['trust'], Readonly<Record<number, string>>>> = {
  refused: {
    0x6969: 'NFS',
    0x517b: 'SMB',
    0xff534d42: 'CIFS',
    0xfe534d42: 'SMB2',
    0x5346414f: 'AFS',
    0x6b414653: 'AFS',
    0x73757245: 'Coda',
    0x564c: 'NCP',
  },
  doubtful: { 0x00c36400: 'CephFS', 0x01021997: '9p', 0x65735546: 'FUSE', 0x0bd00bd0: 'Lustre', 0x786f4256: 'vboxsf' },
  volatile: { 0x01021994: 'tmpfs', 0x858458f6: 'ramfs', 0x794c7630: 'overlay' },
  linkless: { 0x4d44: 'vfat', 0x2011bab0: 'exfat' },
  sound: {
    0xef53: 'ext4',
    0x58465342: 'xfs',
    0x9123683e: 'btrfs',
    0xf2f52010: 'f2fs',
    0x2fc12fc1: 'zfs',
    0xca451a4e: 'bcachefs',
    0x3153464a: 'jfs',
    0x52654973: 'reiserfs',
    0xf15f: 'ecryptfs',
    0x7366746e: 'ntfs',
    0x01161970: 'gfs2',
    0x7461636f: 'ocfs2',
    0x47504653: 'gpfs',
  },
}

/** The file system with this number; undefined where numbers say nothing. */
export function fileSystemOf(type: number, system: NodeJS.Platform = platform): FileSystem | undefined {
  if (system !== 'linux') return undefined
  // As a signed 32-bit number, one with the highest bit set is negative.
  const number = type >>> 0
  for (const trust of ['refused', 'doubtful', 'volatile', 'linkless', 'sound'] as const) {
    const name = kinds[trust][number]
    if (name !== undefined) return { name, trust }
  }
  return { name: `file system 0x${number.toString(16)}`, trust: 'doubtful' }
}

/** The stats of the file system that `folder` is on, or will be once it is made. */
export async function statsOfFileSystem(folder: string): Promise<StatsFs> {
  for (let path = folder; ; path = dirname(path)) {
    try {
      return await statfs(path)
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || dirname(path) === path) throw error
    }
  }
}

/** Why `name` is refused, for the error and for findings. */
export function whyRefused(name: string): string {
  return `on ${name} the appends of two hosts can overwrite each other, and an acknowledged turn would be lost`
}

/** Places where the promises hold. */
export const otherPlaces =
  'choose a folder on a local disk: --store file:<folder>, fileStore({ dir }); or share through Redis: --store redis://host:6379'

/**
 * Throws `bad-option` if journals are not safe in `folder`. `typeOf` gives the number of its file system. If that
 * fails, nothing is refused here: making the folder reports what is wrong, if anything is.
 */
export async function assertSoundFileSystem(
  folder: string,
  typeOf = async (path: string) => (await statsOfFileSystem(path)).type,
  system: NodeJS.Platform = platform,
): Promise<void> {
  const type = await typeOf(folder).catch(() => undefined)
  const found = type === undefined ? undefined : fileSystemOf(type, system)
  if (found?.trust !== 'refused') return
  throw new LastgoodError('bad-option', `${folder} is on a network file system: ${whyRefused(found.name)}`, {
    hint: otherPlaces,
    details: { path: folder, fileSystem: found.name },
  })
}
