/**
 * The address of a running dashboard, with its token, in a file that only its user can read: for the command line, and
 * for a person who has lost the terminal. The file goes with the server.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder, stateDir } from '@lastgood/core/file'
import type { CliContext } from '../context.ts'

export interface AddressFile {
  readonly path: string
  remove(): void
}

/** Undefined where the folder cannot be written: then the address is only printed. */
export async function writeAddress(
  { env, home, clock }: CliContext,
  port: string,
  address: string,
): Promise<AddressFile | undefined> {
  const folder = join(stateDir(env, home), 'dashboard')
  const path = join(folder, `${port}.url`)
  try {
    // Sessions may follow in the folder above, whose name is then taken for being on disk.
    await makeFolder(folder)
    // In one step, and never into a file that others have open already.
    const temporary = `${path}.${clock.newId()}.tmp`
    writeFileSync(temporary, `${address}\n`, { mode: 0o600, flag: 'wx' })
    renameSync(temporary, path)
  } catch {
    return undefined
  }
  return { path, remove: () => rmSync(path, { force: true }) }
}
