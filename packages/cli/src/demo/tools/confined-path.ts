/**
 * Paths from the model, confined to the repository.
 *
 * 1. A path is judged by where it leads, not by its text: symbolic links are followed first, also in the folders of a
 *    file that does not exist yet.
 * 2. git's own folder must not be edited.
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

/** The real path of the part that exists, with the rest appended unchanged. */
function realOf(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error
    return join(realOf(dirname(path)), basename(path))
  }
}
