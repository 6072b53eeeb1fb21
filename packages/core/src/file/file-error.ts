/** File system refusals as errors for the caller: with the path and the system's code, never with content. */
import { LastgoodError } from '../errors.ts'
import { shellWord } from '../shell-word.ts'

/** An error of the system or of Node's permissions, as the caller's error about `path`; any other stays as it is. */
export function fileError(error: unknown, path: string): unknown {
  if (isNotPermitted(error)) return notPermitted(path, error)
  const code = systemCode(error)
  if (code === undefined) return error
  return new LastgoodError('store-unavailable', `${path}: the file system refused (${code})`, {
    hint: hintFor(error, code) ?? `check the disk and the folder of ${path}, then try again`,
    cause: error,
    details: { path, code },
  })
}

/** Fewer bytes were written than asked for, and the system gave no reason: the disk or a quota is full. */
export function shortWrite(path: string, written: number, asked: number): LastgoodError {
  return new LastgoodError(
    'store-unavailable',
    `${path}: only ${written} of ${asked} bytes could be written (ENOSPC)`,
    {
      hint: hints['ENOSPC'] ?? '',
      details: { path, code: 'ENOSPC' },
    },
  )
}

/** A pipe, a device, a folder or a symbolic link where a journal should be. */
export function notPlain(path: string, cause?: unknown): LastgoodError {
  return new LastgoodError('store-unavailable', `${path} is not a plain file`, {
    hint: `move it away: mv ${shellWord(path)} ${shellWord(`${path}.aside`)}`,
    cause,
    details: { path },
  })
}

/** A symbolic link whose disk is not mounted where a folder should be: moved away, the sessions behind it would be, too. */
export function leadsNowhere(path: string, cause: unknown): LastgoodError {
  return new LastgoodError('store-unavailable', `${path} is a link to a folder that is not there`, {
    hint: 'mount its disk, or choose another folder with --store or fileStore({ dir })',
    cause,
    details: { path },
  })
}

/** The journal used to be longer: what is missing is not the torn end of an append, it was on disk. */
export function cutBack(path: string, lease: string, seq: number, was: number): LastgoodError {
  return new LastgoodError('journal-corrupt', `${path} ends after entry ${seq} but once had ${was}: its end was lost`, {
    hint: `restore a newer copy; to continue from entry ${seq} and lose what came after it: rm ${shellWord(lease)}`,
    details: { path, seq, was },
  })
}

/** `node --permission` does not allow the folder, or forbids every sync, as it does from Node 22 on. */
function isNotPermitted(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_ACCESS_DENIED'
}

/** This user, or this process, may not do that. */
export function isDenied(error: unknown): boolean {
  return isNotPermitted(error) || ['EACCES', 'EPERM'].includes(systemCode(error) ?? '')
}

function notPermitted(path: string, cause: unknown): LastgoodError {
  return new LastgoodError('bad-option', `${path}: node --permission forbids what a file store needs to do`, {
    hint: 'start Node without --permission, which prevents syncing to disk, or keep sessions in Redis',
    cause,
    details: { path, code: 'ERR_ACCESS_DENIED' },
  })
}

/** `ENOENT` and the like; undefined if `error` does not come from the system. */
export function systemCode(error: unknown): string | undefined {
  const { code, syscall } = (error instanceof Error ? error : {}) as NodeJS.ErrnoException
  return typeof code === 'string' && typeof syscall === 'string' ? code : undefined
}

/** `job`'s result; its system errors name `path`. */
export async function onPath<T>(path: string, job: () => Promise<T>): Promise<T> {
  try {
    return await job()
  } catch (error) {
    throw fileError(error, path)
  }
}

/** `EPERM` of a link is no matter of rights: Linux says it of a file system that has none. */
const hintFor = (error: unknown, code: string): string | undefined =>
  code === 'EPERM' && (error as NodeJS.ErrnoException).syscall === 'link' ? linkless : hints[code]

const linkless = 'its file system has no hard links: choose a folder on another with --store or fileStore({ dir })'
const full = 'free some space there, then continue: nothing that was acknowledged is lost'
const elsewhere =
  'a file is where the folder should be: move it away, or choose another with --store or fileStore({ dir })'
const crowded = 'raise the limit on open files (ulimit -n), or close some; nothing that was acknowledged is lost'
const denied =
  'make the folder and its files writable for this user, or choose another with --store or fileStore({ dir })'
const hints: Readonly<Record<string, string>> = {
  ENOSPC: full,
  EDQUOT: full,
  EFBIG: 'raise the file size limit (ulimit -f), then continue: nothing that was acknowledged is lost',
  EACCES: denied,
  EPERM: denied,
  EROFS: denied,
  ENOTDIR: elsewhere,
  EEXIST: elsewhere,
  ENOENT: 'no folder can be created there: choose another with --store or fileStore({ dir })',
  ENAMETOOLONG: 'choose a folder with a shorter path, or a shorter session id',
  EMFILE: crowded,
  ENFILE: crowded,
}
