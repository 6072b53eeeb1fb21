/** Installs a client from the npm registry, once for each version, beside the project's own cache. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Client } from './clients.ts'

export type Installed = { readonly bin: string } | { readonly missing: string }

const folderOf = (client: Client, root: string): string =>
  join(root, 'node_modules/.cache/lastgood-clients', `${client.name}-${client.version}`)

/** `root`: the folder of this repository. */
export const isInstalled = (client: Client, root: string): boolean =>
  existsSync(join(folderOf(client, root), 'installed'))

export async function install(client: Client, root: string): Promise<Installed> {
  const folder = folderOf(client, root)
  const done = join(folder, 'installed')
  if (!existsSync(done)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
    try {
      await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...client.packages], {
        cwd: folder,
        timeout: 180_000,
      })
    } catch (error) {
      const said = (error as { stderr?: string }).stderr ?? String(error)
      return { missing: `npm install failed: ${said.trim().split('\n').at(0)?.slice(0, 200)}` }
    }
    writeFileSync(done, '')
  }
  return { bin: join(folder, 'node_modules/.bin') }
}
