/**
 * A disk that can be told at which step to fail, and what a power cut would leave of it at any instant.
 *
 * 1. A step is a call that changes the disk. At the chosen one a call is refused, writes one half, or nothing happens
 *    any more, as when the process was killed. A lasting fault refuses from there on what is its kind, until it is mended.
 * 2. Durable is what a sync of the file, or of the folder with its name, has put there. What a refused sync had to put
 *    there is lost: a later one that succeeds says nothing about it.
 */
import type * as SyncFiles from 'node:fs'
import type * as Files from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'

export type Fault = 'refused' | 'half' | 'killed' | LastingFault
export type LastingFault = 'ENOSPC' | 'EDQUOT' | 'EROFS' | 'EMFILE'

/** An open of what is there is a step only where it can fail. */
type Syscall = 'open' | 'open to write' | 'open to read' | 'write' | 'fdatasync' | 'fsync' | 'mkdir' | 'rename' | 'rm'
const growing: readonly Syscall[] = ['open', 'write', 'fdatasync', 'fsync', 'mkdir', 'rename']
const refusedBy: Readonly<Record<LastingFault, readonly Syscall[]>> = {
  ENOSPC: growing,
  EDQUOT: growing,
  EROFS: ['open', 'open to write', 'write', 'mkdir', 'rename', 'rm'],
  EMFILE: ['open', 'open to write', 'open to read'],
}
const isLasting = (fault: Fault): fault is LastingFault => fault in refusedBy

interface File {
  durable: Buffer
  pending: { at: number; bytes: Buffer }[]
  size: number
}
interface Folder {
  names: Map<string, Node>
  durable: Map<string, Node>
}
type Node = File | Folder

const newFolder = (): Folder => ({ names: new Map(), durable: new Map() })
const isFolder = (node: Node | undefined): node is Folder => node !== undefined && 'names' in node

/** What reached the disk since the last sync of a file: nothing, only its size, or all. */
type Pages = 'none' | 'empty' | 'all'
/** Contents by path; none for a folder. */
type Tree = Map<string, Buffer | undefined>

interface Disk {
  dir: string
  root: Folder
  steps: number
  /** The step to fail at, from 1. */
  at: number
  fault: Fault
  hasFailed: boolean
  isDead: boolean
  /** What each descriptor is open on. */
  open: Map<number, Node | undefined>
}
let disk: Disk | undefined

/** From here on `dir`, which is empty, is on such a disk. */
export function watchDisk(dir: string, fault: Fault = 'killed', at = Infinity): void {
  disk = { dir, root: newFolder(), steps: 0, at, fault, hasFailed: false, isDead: false, open: new Map() }
}

/** The fault is over. */
export function mendDisk(): void {
  if (disk) disk.fault = 'refused'
}

/**
 * Ends it; returns whether it has failed, or has had no such step, and what a power cut would leave, in the worst
 * ways, each by all of its content.
 */
export function endWatch(): { outcome: 'failed' | 'not here' | 'no such step'; left: Map<string, Tree> } {
  if (!disk) throw new Error('no disk is watched')
  const { root, steps, at, hasFailed } = disk
  disk = undefined
  const left = new Map<string, Tree>()
  for (const names of [false, true]) {
    for (const pages of ['none', 'empty', 'all'] as const) {
      const tree: Tree = new Map(paths(root, names, pages))
      left.set(Array.from(tree, ([path, bytes]) => `${path} ${bytes?.toString('latin1')}`).join(), tree)
    }
  }
  return { outcome: hasFailed ? 'failed' : steps < at ? 'no such step' : 'not here', left }
}

function* paths(folder: Folder, hasNames: boolean, pages: Pages, under = ''): Generator<[string, Buffer | undefined]> {
  for (const [name, node] of hasNames ? folder.names : folder.durable) {
    const path = join(under, name)
    yield [path, isFolder(node) ? undefined : content(node, pages)]
    if (isFolder(node)) yield* paths(node, hasNames, pages, path)
  }
}

function content({ durable, pending, size }: File, pages: Pages): Buffer {
  if (pages === 'none') return durable
  const bytes = Buffer.alloc(Math.max(size, durable.length))
  durable.copy(bytes)
  if (pages === 'all') for (const one of pending) one.bytes.copy(bytes, one.at)
  return bytes
}

const isWatched = (path: unknown): path is string =>
  typeof path === 'string' && disk !== undefined && path.startsWith(disk.dir)

function nodeAt(path: string): Node | undefined {
  let node: Node | undefined = disk?.root
  for (const name of relative(disk?.dir ?? '', path).split('/')) {
    if (name !== '') node = isFolder(node) ? node.names.get(name) : undefined
  }
  return node
}

function name(path: string, node: Node | undefined): void {
  const folder = nodeAt(dirname(path))
  if (!isFolder(folder)) return
  if (node) folder.names.set(basename(path), node)
  else folder.names.delete(basename(path))
}

function moved(from: string, to: string): void {
  const node = nodeAt(from)
  name(from, undefined)
  name(to, node)
}

/** Called before each step; whether it is to be done by half, as only a write can be. */
function step(syscall: Syscall, onRefused = () => {}): boolean {
  if (!disk) return false
  if (disk.isDead) throw new Error('killed')
  disk.steps += 1
  const { fault, steps, at } = disk
  if (isLasting(fault) ? steps < at || !refusedBy[fault].includes(syscall) : steps !== at) return false
  if (fault === 'half' && syscall !== 'write') return false
  disk.hasFailed = true
  if (disk.fault === 'half') return true
  if (disk.fault === 'killed') {
    disk.isDead = true
    throw new Error('killed')
  }
  onRefused()
  const code = isLasting(fault) ? fault : 'EIO'
  throw Object.assign(new Error(`${code}: made up by a test`), { code, syscall })
}

/** Called before what is there is opened. The mode is in the last two bits of its flags: 0 to read, as of a folder. */
function opening(path: unknown, flags: unknown): void {
  if (!disk || !isWatched(path) || !isLasting(disk.fault)) return
  step(Number(flags) & 3 ? 'open to write' : 'open to read')
}

type Write = (buffer: Buffer, from: number, length: number, at: number | null) => Promise<{ bytesWritten: number }>

/** `write` of the file that is open as `fd`. */
function watched(fd: number, write: Write): Write {
  const file = disk?.open.get(fd)
  if (!file || isFolder(file)) return write
  return async (buffer, from, asked, at) => {
    const result = await write(buffer, from, step('write') ? asked >> 1 : asked, at)
    const [start, end] = [at ?? file.size, from + result.bytesWritten]
    file.pending.push({ at: start, bytes: Buffer.from(buffer.subarray(from, end)) })
    file.size = Math.max(file.size, start + result.bytesWritten)
    return result
  }
}

async function synced(fd: number, syscall: 'fsync' | 'fdatasync', sync: () => Promise<void>): Promise<void> {
  const node = disk?.open.get(fd)
  if (!node) return sync()
  step(syscall, () => void ('pending' in node && node.pending.splice(0)))
  await sync()
  if (isFolder(node)) node.durable = new Map(node.names)
  else {
    const size = node.pending.reduce((end, { at, bytes }) => Math.max(end, at + bytes.length), node.durable.length)
    node.durable = content({ ...node, size }, 'all')
    node.pending = []
  }
}

function opened(fd: number, path: unknown): number {
  if (isWatched(path)) disk?.open.set(fd, nodeAt(path))
  return fd
}

const promised = <F extends object>(call: F, async: (...args: never[]) => Promise<unknown>): F =>
  Object.assign((() => {}) as never as F, call, { [promisify.custom]: async })

/** `node:fs` on that disk. */
export function faultySync(real: typeof SyncFiles): typeof SyncFiles {
  const [write, fdatasync] = [promisify(real.write), promisify(real.fdatasync)]
  const writing = (fd: number, ...rest: Parameters<Write>) => watched(fd, (...args) => write(fd, ...args))(...rest)
  return {
    ...real,
    openSync: (path, flags, mode) => (opening(path, flags), opened(real.openSync(path, flags, mode), path)),
    closeSync: (fd) => (disk?.open.delete(fd), real.closeSync(fd)),
    write: promised(real.write, writing),
    fdatasync: promised(real.fdatasync, (fd: number) => synced(fd, 'fdatasync', () => fdatasync(fd))),
  }
}

/** `node:fs/promises` on that disk. */
export function faultyFiles(real: typeof Files): typeof Files {
  const changing = <A extends unknown[], R>(call: (...args: A) => Promise<R>, after: (...args: string[]) => void) => {
    return async (...args: A): Promise<R> => {
      if (!isWatched(args[0])) return call(...args)
      step(call.name as Syscall)
      const result = await call(...args)
      after(...(args as unknown as string[]))
      return result
    }
  }
  const open: typeof real.open = async (path, flags, mode) => {
    const isThere = await real.lstat(path).then(
      () => true,
      () => false,
    )
    if (isThere || flags === 'r') opening(path, flags)
    else if (isWatched(path)) step('open')
    const handle = await real.open(path, flags, mode)
    if (!isWatched(path)) return handle
    if (!isThere) name(path, { durable: Buffer.alloc(0), pending: [], size: 0 })
    const { fd } = handle
    opened(fd, path)
    const [sync, datasync] = [handle.sync.bind(handle), handle.datasync.bind(handle)]
    const close = handle.close.bind(handle)
    const write = watched(fd, handle.write.bind(handle))
    return Object.assign(handle, {
      write,
      async writeFile(text: string) {
        const bytes = Buffer.from(text)
        for (let at = 0; at < bytes.length;) at += (await write(bytes, at, bytes.length - at, null)).bytesWritten
      },
      sync: () => synced(fd, 'fsync', sync),
      datasync: () => synced(fd, 'fdatasync', datasync),
      close: () => (disk?.open.delete(fd), close()),
    }) as never
  }
  const writeFile = async (path: string, text: string, { mode, flag }: { mode?: number; flag?: string }) => {
    const handle = await open(path, flag, mode)
    try {
      await handle.writeFile(text)
    } finally {
      await handle.close()
    }
  }
  return {
    ...real,
    open,
    writeFile: ((path: unknown, ...rest: never[]) =>
      isWatched(path)
        ? writeFile(path, ...(rest as [never, never]))
        : real.writeFile(path as string, ...(rest as [never]))) as never,
    mkdir: changing(real.mkdir as (...args: unknown[]) => Promise<never>, (path = '') =>
      name(path, newFolder()),
    ) as never,
    rename: changing(real.rename, moved as never),
    rm: changing(real.rm, (path = '') => name(path, undefined)),
    opendir: (path, ...rest) => (opening(path, 'r'), real.opendir(path, ...rest)),
    readdir: ((path: string, ...rest: never[]) => (opening(path, 'r'), real.readdir(path, ...rest))) as never,
  }
}
