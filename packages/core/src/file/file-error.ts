/** What the file system refused, as a caller's error: with the path and the system's code, never with content. */
import { LastgoodError } from '../errors.ts'

/** `error` of an operation on `path`: a system error becomes `store-unavailable`, anything else is itself. */
export function fileError(error: unknown, path: string): unknown {
  const code = systemCode(error)
  if (code === undefined) return error
  return new LastgoodError('store-unavailable', `${path}: the file system refused (${code})`, {
    hint: hints[code] ?? `check the disk and the folder of ${path}, then try again`,
    cause: error,
    details: { path, code },
  })
}

/** Fewer bytes than asked for went in, and the system gave no reason: the disk or a quota is full. */
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

/** `ENOENT` and the like, or undefined when `error` does not come from the system. */
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

const full = 'free some space there, then go on: nothing that was acknowledged is lost'
const denied = 'make the folder and its files writable for this user, or choose another with fileStore({ dir })'
const hints: Readonly<Record<string, string>> = {
  ENOSPC: full,
  EDQUOT: full,
  EFBIG: full,
  EACCES: denied,
  EPERM: denied,
  EROFS: denied,
  ENOTDIR: 'a file is where the folder should be: move it away, or choose another folder with fileStore({ dir })',
}
