/**
 * The journal, open for one append or one look.
 *
 * 1. Calls that may wait for the disk run in the thread pool. Calls that only ask the kernel, about what it has cached,
 *    are synchronous: a trip to the pool costs more than they do, and four of them would be half of an append.
 * 2. The file is opened for each append. So no open file outlives a call, and the path is resolved anew: a journal that
 *    was removed, or replaced by a copy, is noticed.
 */
import { closeSync, constants, fdatasync, fstatSync, openSync, read, write, type Stats } from 'node:fs'
import { promisify } from 'node:util'
import { journalFlags, notOpened } from './folder.ts'

/** What the store does with an open journal. A `FileHandle` is one. */
export interface JournalHandle {
  read(buffer: Buffer, offset: number, length: number, position: number): Promise<{ bytesRead: number }>
  stat(): Promise<Stats> | Stats
  write(buffer: Buffer, offset: number, length: number, position: null): Promise<{ bytesWritten: number }>
  datasync(): Promise<void>
  close(): Promise<void> | void
}

const [readBytes, writeBytes, syncData] = [promisify(read), promisify(write), promisify(fdatasync)]

/** Undefined if there is no such file. */
export const openForAppend = (path: string): JournalHandle | undefined => opened(path, appending)

/** The same, only for reading. */
export const openForLook = (path: string): JournalHandle | undefined => opened(path, constants.O_RDONLY | journalFlags)

function opened(path: string, flags: number): JournalHandle | undefined {
  const file = openedAtOnce(path, flags)
  return file === undefined
    ? undefined
    : {
        read: (buffer, offset, length, position) => readBytes(file, buffer, offset, length, position),
        stat: () => fstatSync(file),
        write: (buffer, offset, length, position) => writeBytes(file, buffer, offset, length, position),
        datasync: () => syncData(file),
        close: () => closeSync(file),
      }
}

const appending = constants.O_RDWR | constants.O_APPEND | journalFlags

function openedAtOnce(path: string, flags: number): number | undefined {
  try {
    return openSync(path, flags)
  } catch (error) {
    return notOpened(error, path, flags)
  }
}
