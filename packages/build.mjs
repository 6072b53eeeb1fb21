// Builds the packages' JavaScript into their dist/: the entries of each and what they share, in few files. A starting
// program loads its files one after the other, so two hundred modules cost more than their content. Declarations come
// from the compiler, module by module.
//
// 1. Every export and command of a manifest is an entry, at the place that the manifest names.
// 2. A package bundles a dependency only if it is loaded at every start: xstate and zod in core.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, relative } from 'node:path'
import { build } from 'rolldown'

const carried = { core: ['xstate', 'zod'] }
/** Started or imported by path: programs, what the demo's configuration imports, the command line on a test's clock. */
const started = { cli: ['demo/agent-process', 'demo/demo-config', 'program', 'node-context'] }

const isOwn = (id) => id.startsWith('.') || id.startsWith('/')

function entriesOf(name, folder) {
  const { exports, bin = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const built = [...Object.values(exports).map((to) => to.default), ...Object.values(bin)]
  const places = built.flatMap((path) => /^\.\/dist\/(.+)\.js$/.exec(path ?? '')?.[1] ?? [])
  return [...places, ...(started[name] ?? [])]
}

function optionsFor(name) {
  const folder = join(import.meta.dirname, name)
  const source = join(folder, 'src')
  const isCarried = (id) => carried[name]?.some((one) => id === one || id.startsWith(`${one}/`)) === true
  return {
    input: Object.fromEntries(entriesOf(name, folder).map((entry) => [entry, join(source, `${entry}.ts`)])),
    external(id, importer) {
      // Syntax that Node 20 lacks, compiled to a helper package that is not installed.
      if (id.startsWith('@oxc-project/')) throw new Error(`${importer} has syntax that needs ${id}`)
      return isBuiltin(id) || (!isOwn(id) && !isCarried(id) && !importer?.includes('/node_modules/'))
    },
    platform: 'node',
    // A package is complete in its JavaScript, wherever a bundler puts it.
    moduleTypes: { '.lua': 'text' },
    // Like the compiler's: what Node 20 understands.
    transform: { target: 'es2022' },
    output: {
      dir: join(folder, 'dist'),
      format: 'esm',
      sourcemap: true,
      // A module loaded on demand keeps its name.
      chunkFileNames: ({ facadeModuleId: id }) =>
        id ? `${relative(source, id).slice(0, -'.ts'.length)}.js` : 'shared/[name].js',
    },
  }
}

/** What is bundled comes with its licence. */
function writeLicences(name) {
  const folder = join(import.meta.dirname, name)
  const texts = (carried[name] ?? []).map((one) => {
    const text = readFileSync(join(folder, 'node_modules', one, 'LICENSE'), 'utf8')
    return `${one}\n\n${text}`
  })
  if (texts.length > 0) writeFileSync(join(folder, 'dist/LICENSES.txt'), texts.join('\n\n'))
}

/** The page of each error comes with the command line. What it links to outside of its folder does not: the words stay. */
function writeErrorPages() {
  const pages = join(import.meta.dirname, '../docs/errors')
  const place = join(import.meta.dirname, 'cli/dist/errors')
  mkdirSync(place, { recursive: true })
  for (const page of readdirSync(pages)) {
    const text = readFileSync(join(pages, page), 'utf8')
    writeFileSync(join(place, page), text.replace(/\[([^\]]+)\]\(\.\.\/[^)]*\)/g, '$1'))
  }
}

const folders = readdirSync(import.meta.dirname, { withFileTypes: true })
const names = folders.flatMap((one) => (one.isDirectory() ? [one.name] : []))
await build(names.map(optionsFor))
for (const name of names) writeLicences(name)
writeErrorPages()
