/**
 * The address of a running dashboard, with its token, in a file that only its user can read: for the command line, and
 * for a person who has lost the terminal. The file goes with the server.
 */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stateDir } from '@lastgood/core/file'
import type { CliContext } from '../context.ts'

export interface AddressFile {
  readonly path: string
  remove(): void
}

/** Undefined where the folder cannot be written: then the address is only printed. */
export function writeAddress({ env, home, clock }: CliContext, port: string, address: string): AddressFile | undefined {
  const folder = join(stateDir(env, home), 'dashboard')
  const path = join(folder, `${port}.url`)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    // In one step, and never into a file that others have open already.
    const temporary = `${path}.${clock.newId()}.tmp`
    writeFileSync(temporary, `${address}\n`, { mode: 0o600, flag: 'wx' })
    renameSync(temporary, path)
  } catch {
    return undefined
  }
  return { path, remove: () => rmSync(path, { force: true }) }
}
