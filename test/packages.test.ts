// What users of the registry get: the packages packed, installed by npm into an empty project, and used.

import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'rolldown'
import { packages } from './support/documents.ts'
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')
const minutes = 60_000
vi.setConfig({ testTimeout: 2 * minutes })

interface Manifest {
  name: string
  version: string
  private?: boolean
  engines: { node: string }
  exports?: Record<string, unknown>
  bin?: Record<string, string>
  peerDependencies?: Record<string, string>
}

const folders = packages.map((name) => join(root, name))
const manifests = folders.map(readManifest).filter((manifest) => manifest.private !== true)
const modules = manifests.flatMap(({ name, exports = {} }) =>
  Object.keys(exports)
    .filter((key) => !key.endsWith('.json'))
    .map((key) => name + key.slice(1)),
)
const bins = manifests.flatMap(({ name, version, bin = {} }) =>
  Object.keys(bin).map((command) => ({ command, version, name })),
)

const packing = ['-r', '--filter', './packages/*', 'pack', '--pack-destination']

let work: string
let project: string

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'lastgood-packages-'))
  project = join(work, 'project')
  mkdirSync(project)
  await run('npx', ['-y', 'pnpm@12.21.0', ...packing, work], { cwd: root })
  const tarballs = manifests.map((manifest) => [manifest.name, `file:../${tarballOf(manifest)}`])
  // With a zod that is not the one of core: schemas of tools are the program's own.
  const dependencies = { ...Object.fromEntries(tarballs), zod: '4.0.17' }
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }))
  const quietly = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
  await run('npm', ['install', ...quietly], { cwd: project, env: outside() })
}, 5 * minutes)

afterAll(() => {
  rmSync(work, { recursive: true, force: true })
})

it('pnpm tarballs, which the README names, packs as these tests do', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: { tarballs: string } }
  expect(scripts.tarballs.replaceAll("'", '')).toBe(`pnpm build && pnpm ${packing.join(' ')} tarballs`)
})

it('a clone refuses a Node that is too old for its packages, before anything is built', () => {
  const { devEngines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { devEngines: object }
  for (const { engines } of manifests) {
    expect(devEngines).toEqual({ runtime: { name: 'node', version: engines.node, onFail: 'error' } })
  }
})

it.each(manifests)('$name is packed with its licence, without tests, build state and workspace words', ({ name }) => {
  const folder = join(project, 'node_modules', name)
  const all = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const files = all.filter((file) => !file.startsWith('node_modules'))
  expect(files).toContain('LICENSE')
  expect(files).toContain('dist/index.js')
  expect(files.filter((file) => /\.(test|fixture)\.|tsbuildinfo/.test(file))).toEqual([])
  expect(readFileSync(join(folder, 'package.json'), 'utf8')).not.toMatch(/workspace:|catalog:/)
})

it('the page of the dashboard and the template of a report are packed, as they were built', () => {
  const files = readdirSync(join(project, 'node_modules/@lastgood/dashboard/dist/page'), { recursive: true })
  expect(files).toEqual(expect.arrayContaining(['index.html', 'report.html', 'favicon.svg']))
})

it.each(modules)('%s can be imported', async (name) => {
  const text = `const names = Object.keys(await import(${JSON.stringify(name)})); console.log(names.includes('default'))`
  expect(await outputOf(text)).toEqual({ stdout: 'false\n', stderr: '' })
})

it("a tool is rendered by the project's own zod, with the descriptions of its fields", async () => {
  const text = `
    import { tool } from '@lastgood/anthropic'
    import { z } from 'zod'
    const input = z.object({ path: z.string().describe('Relative to the root.') })
    const { definition } = tool({ name: 'read', description: 'Reads.', input, run: () => '' })
    console.log(definition.input_schema.properties.path.description)`
  expect(await outputOf(text)).toEqual({ stdout: 'Relative to the root.\n', stderr: '' })
})

it('the declarations of every module compile in a project of its own', async () => {
  expect(await complaintsAbout('consumer.ts', importsOf(modules), '--skipLibCheck')).toBe('')
})

it('they are themselves checked with exact optional properties, where they show no type of xstate', async () => {
  const others = modules.filter((name) => name !== '@lastgood/core/machine')
  expect(await complaintsAbout('strict.ts', importsOf(others), '--exactOptionalPropertyTypes')).toBe('')
})

it('a CommonJS project may hand in the clients and schemas that it has, for the compiler too', async () => {
  const text = `
    import Anthropic from '@anthropic-ai/sdk'
    import { defineAgent, ladder, openSession, recoverable, recovery, tool } from '@lastgood/anthropic'
    import { z } from 'zod'

    export async function main() {
      const session = await openSession('ses')
      const client: Anthropic = recoverable(new Anthropic(), session, {
        ladder: ladder('claude-opus-5-5', { model: 'claude-opus-5-5', client: new Anthropic() }),
      })
      const byHand = new Anthropic({ maxRetries: 0, middleware: [recovery(session)] })
      const input = z.object({ path: z.string() })
      const tools = [tool({ name: 'read', description: 'Reads.', input, run: ({ path }) => path.trim() })]
      await session.run(defineAgent({ name: 'coder', client: byHand, model: 'claude-opus-5-5', tools }), 'Hi')
      return client.messages.stream({ model: 'claude-opus-5-5', max_tokens: 1, messages: [] })
    }`
  expect(await complaintsAbout('consumer.cts', text, '--skipLibCheck')).toBe('')
})

it('what runs scripts on Redis needs no file beside the bundle that it is in', async () => {
  const text = `
    import { fleetClient, redisLimiter } from '@lastgood/fleet'
    import { redisStore } from '@lastgood/redis'
    import { Redis } from 'ioredis'
    const redis = new Redis(${JSON.stringify(inject('redisUrl'))})
    const prefix = ${JSON.stringify(`test:${randomUUID()}`)}
    const owner = { id: 'o', host: 'h', realm: 'r', pid: 1 }
    const { kind } = await redisStore(redis, { prefix }).acquire('s', owner, 60_000)
    const limiter = redisLimiter(redis, { prefix, perMinute: { m: 60 } })
    console.log(typeof fleetClient, kind, (await limiter.admit({ endpoint: 'e', model: 'm' }, { session: 's' })).kind)
    redis.disconnect()`
  writeFileSync(join(project, 'program.mjs'), text)
  const output = { dir: join(work, 'bundle'), format: 'esm', entryFileNames: 'program.mjs' } as const
  await build({ cwd: project, input: 'program.mjs', platform: 'node', logLevel: 'silent', output })
  const { stdout, stderr } = await run(process.execPath, [join(work, 'bundle/program.mjs')], { env: outside() })
  expect({ stdout, stderr }).toEqual({ stdout: 'function lease go\n', stderr: '' })
})

it.each(bins)('$command --version tells the version of $name', async ({ command, version }) => {
  const { stdout } = await run(join(project, 'node_modules/.bin', command), ['--version'], {
    cwd: project,
    env: outside(),
  })
  expect(stdout.trim()).toBe(version)
})

it.each(manifests)(
  '$name has a manifest and declarations that publint and attw have nothing against',
  async (manifest) => {
    const complaints = async (tool: string, ...options: string[]): Promise<string> => {
      const running = run(join(root, 'node_modules/.bin', tool), [join(work, tarballOf(manifest)), ...options])
      return running.then(
        () => '',
        (error: { stdout: string }) => error.stdout,
      )
    }
    expect(await complaints('publint', '--strict')).toBe('')
    expect(await complaints('attw', '--profile', 'esm-only', '--no-definitely-typed', '--no-color')).toBe('')
  },
)

function importsOf(names: readonly string[]): string {
  return names.map((name, index) => `import * as m${index} from ${JSON.stringify(name)}\nvoid m${index}\n`).join('')
}

/** What a program of the project writes. */
async function outputOf(text: string): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, ['--input-type=module', '-e', text], { cwd: project, env: outside() })
}

/** What the compiler says about a file of the project. */
async function complaintsAbout(file: string, text: string, ...options: string[]): Promise<string> {
  writeFileSync(join(project, file), text)
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
  const all = ['--ignoreConfig', '--noEmit', '--strict', '--module', 'nodenext', ...types, ...options, file]
  const compiled = await run(join(root, 'node_modules/.bin/tsc'), all, { cwd: project }).catch(
    (error: { stdout: string }) => error,
  )
  return compiled.stdout
}

/** The environment without what the package manager that runs these tests has put there; the registry stays. */
function outside(): NodeJS.ProcessEnv {
  const theirs = /^p?npm_(?!config_(registry|cache|userconfig|globalconfig|cafile|strict_ssl|(https?_|no_?)?proxy)$)/i
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !theirs.test(name) && name !== 'NODE_OPTIONS'),
  )
}

/** `@lastgood/core` is packed as `lastgood-core-0.1.0.tgz`. */
function tarballOf({ name, version }: Manifest): string {
  return `${name.replace('@', '').replace('/', '-')}-${version}.tgz`
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}
