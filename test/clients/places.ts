/** Paths, the same for the sources and for their build. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

const rootAbove = (folder: string): string =>
  existsSync(join(folder, 'pnpm-workspace.yaml')) ? folder : rootAbove(dirname(folder))

/** The folder of this repository. */
export const root = rootAbove(import.meta.dirname)
