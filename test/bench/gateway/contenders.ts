/**
 * What is between the client and the API: nothing, a minimal proxy, another gateway, and lastgood's as its users start
 * it. Each is a process of its own with a home of its own.
 */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { addressIn, first, startNode, type Child } from './child.ts'
import { installRouter, startRouter } from './router.ts'

export const contenderNames = [
  'direct',
  'bare proxy',
  'claude-code-router',
  'lastgood, memory',
  'lastgood, file',
] as const
export type ContenderName = (typeof contenderNames)[number]

export interface Contender {
  readonly name: ContenderName
  readonly url: string
  /** Undefined if nothing is between. */
  readonly pid: number | undefined
  readonly version: string | undefined
  stop(): Promise<void>
}

export interface Place {
  /** The URL of the lab. */
  readonly lab: string
  /** A folder within the repository, on the measured disk. */
  readonly dir: string
  readonly root: string
}

/** Errors: what kept it from starting, in its own words. */
export async function startContender(name: ContenderName, { lab, dir, root }: Place): Promise<Contender> {
  if (name === 'direct') return { name, url: lab, pid: undefined, version: undefined, stop: async () => {} }
  const home = mkdtempSync(join(dir, 'home-'))
  if (name === 'bare proxy') {
    return running(name, startNode({ args: [join(import.meta.dirname, 'bare-process.mjs'), lab] }))
  }
  if (name === 'claude-code-router') {
    const { program, version } = await installRouter(root)
    const { url, child } = await startRouter(program, lab, home)
    return { name, url, pid: child.pid, version, stop: () => child.stop() }
  }
  const store = name === 'lastgood, file' ? ['--store', `file:${join(home, 'state')}`] : []
  if (name === 'lastgood, memory') writeFileSync(join(home, 'lastgood.config.mjs'), memoryConfig)
  const program = join(root, 'packages/cli/dist/bin/lastgood.js')
  const args = [program, 'gateway', '--port', '0', '--upstream', lab, ...store]
  return running(name, startNode({ args, cwd: home, env: { HOME: home } }))
}

async function running(name: ContenderName, child: Child): Promise<Contender> {
  const url = await first(child, addressIn)
  return { name, url, pid: child.pid, version: undefined, stop: () => child.stop() }
}

const memoryConfig = `import { memoryStore } from '@lastgood/core'
export default { store: memoryStore(), agents: {} }
`
