/** One job of a contender, in a process of its own; see `processes/work.mjs`. */
import { execFile } from 'node:child_process'
import { cp, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startNode, type Child } from '../gateway/child.ts'
import type { Contender } from './contenders.ts'
import { installed, type Node } from './packages.ts'
import type { Server, Target } from './servers.ts'

/** A contender that can be measured. */
export interface Ready extends Contender {
  readonly on: Server
  readonly target: Target
  readonly node: string
  readonly path: string
}

const programs = join(import.meta.dirname, 'processes')

/**
 * Installs its packages. `dir`: the bench's, for programs that must be beside their packages.
 *
 * Errors: why it cannot be measured here.
 */
export async function makeReady(contender: Contender, on: Server, node: Node, dir: string): Promise<Ready> {
  const { oldestNode = 0, oldestRedis = 0 } = contender
  if (majorOf(node.version) < oldestNode) throw new Error(`it needs Node ${oldestNode}, this is ${node.version}`)
  if (majorOf(on.version) < oldestRedis) {
    throw new Error(`it needs Redis ${oldestRedis}, or its modules for JSON and search; this is ${on.version}`)
  }
  const file = `${contender.program}.mjs`
  let path = join(programs, file)
  if (contender.packages !== undefined) {
    const own = join(dir, 'programs', contender.program)
    const modules = join(await installed(contender.packages), 'node_modules')
    await mkdir(own, { recursive: true })
    for (const one of ['work.mjs', file]) await cp(join(programs, one), join(own, one))
    await symlink(modules, join(own, 'node_modules')).catch(() => {}) // another contender of this program was first
    if (contender.compiled) await compile(contender.compiled, own, node)
    path = join(own, file)
  }
  return { ...contender, on, target: await on.place(contender.name), node: node.path, path }
}

async function compile({ sources, by }: NonNullable<Contender['compiled']>, own: string, node: Node): Promise<void> {
  for (const one of [...sources, by]) await cp(join(programs, `${one}.mjs`), join(own, `${one}.mjs`))
  await promisify(execFile)(node.path, [`${by}.mjs`], { cwd: own, env: quiet, timeout: 60_000 })
}

const majorOf = (version: string) => Number(/\d+/.exec(version)?.[0] ?? 0)

/** What distinguishes a job from the others of its contender. */
export interface Job {
  readonly kind: 'run' | 'read' | 'die' | 'go on'
  readonly id: string
  readonly workload?: string
  readonly steps?: number
  readonly sessions?: number
  readonly warmUp?: number
  readonly warmUpMs?: number
  readonly limitMs?: number
}

const quiet = { DO_NOT_TRACK: '1', LANGSMITH_TRACING: 'false', MASTRA_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' }

/** Starts the process, lets `use` talk to it, and ends it, whatever happens. */
export async function inProcess<T>(ready: Ready, job: Job, use: (child: Child) => Promise<T>): Promise<T> {
  const { target, options = {}, node, path } = ready
  const all = JSON.stringify({ ...target, ...job, options })
  // Its folder is its home, so that it finds no settings of this user.
  const child = startNode({ args: [path, all], node, env: { ...quiet, HOME: target.dir ?? '/nonexistent' } })
  try {
    return await use(child)
  } catch (error) {
    if (error instanceof TooLong) throw error
    throw new Error(`job ${job.kind}: ${(error as Error).message}`, { cause: error })
  } finally {
    await child.stop()
  }
}

export class TooLong extends Error {}

/** Its next message. Errors: it ended without one, `TooLong`. */
export async function messageOf<Message>(child: Child, limitMs: number): Promise<Message> {
  const { process: it } = child
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => settle(() => reject(new TooLong(`no word within ${limitMs / 1000} s`))), limitMs)
    const take = (message: unknown) => settle(() => resolve(message as Message))
    const ended = (code: unknown) => settle(() => reject(new Error(`it ended with ${String(code)}: ${child.said()}`)))
    const settle = (how: () => void) => {
      clearTimeout(late)
      it.off('message', take)
      it.off('exit', ended)
      how()
    }
    it.on('message', take)
    it.on('exit', ended)
  })
}
