// The JavaScript of the packages: each one's entries and what they share, in few files. A program that starts loads a
// file at a time, so two hundred modules cost more than what is in them; declarations come from the compiler, module by module.
//
// 1. Every export and command of a manifest is an entry, at the place where the manifest says that it is.
// 2. A package carries what it depends on only where it is loaded at every start: xstate and zod in core.
import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { defineConfig } from 'rolldown'

const root = import.meta.dirname
const carried = { core: ['xstate', 'zod'] }
/** Programs that a package starts, or has configuration files import, by their path. */
const started = { cli: ['demo/agent-process', 'demo/demo-config'] }

const isOwn = (id) => id.startsWith('.') || id.startsWith('/')

function entriesOf(name) {
  const { exports, bin = {} } = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'))
  const built = [...Object.values(exports).map((to) => to.default), ...Object.values(bin)]
  const places = built.flatMap((path) => /^\.\/dist\/(.+)\.js$/.exec(path ?? '')?.[1] ?? [])
  return [...places, ...(started[name] ?? [])]
}

export default defineConfig(
  readdirSync(join(root, 'packages')).map((name) => {
    const from = join(root, 'packages', name)
    const isCarried = (id) => carried[name]?.some((one) => id === one || id.startsWith(`${one}/`)) === true
    return {
      input: Object.fromEntries(entriesOf(name).map((entry) => [entry, join(from, 'src', `${entry}.ts`)])),
      external: (id, importer) =>
        isBuiltin(id) || (!isOwn(id) && !isCarried(id) && !importer?.includes('/node_modules/')),
      platform: 'node',
      output: { dir: join(from, 'dist'), format: 'esm', sourcemap: true, chunkFileNames: '[name].js' },
    }
  }),
)
