/**
 * Paths of the model, kept inside the repository.
 *
 * 1. What a path leads to counts, not what it looks like: symbolic links are followed before it is judged, also those in
 *    the folders of a file that does not exist yet.
 * 2. git's own folder is not for editing.
 */
import { realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'

/** The real path of `path` below `root`; throws for anything outside. */
export function confined(root: string, path: string): string {
  const real = realOf(resolve(root, path))
  const inside = relative(realpathSync(root), real)
  if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    throw new Error(`${path} is outside of the repository`)
  }
  if (inside.split(sep)[0] === '.git') throw new Error(`${path} belongs to git`)
  return real
}

/** The real path of what exists of it, and the rest as it is. */
function realOf(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error
    return join(realOf(dirname(path)), basename(path))
  }
}
