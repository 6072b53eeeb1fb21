// The rules that keep the packages apart, as a function from source files to violations.
//
// 1. A package imports only the packages below it, and its own files only by relative paths.
// 2. The pure modules of core reach nothing that stores, sends or watches, not even through another file.
// 3. Only the clock touches time and randomness; only the file store and the owner touch the disk; only the command line
//    reads its environment and arguments.
// 4. The files of a package do not import each other in a circle, types included.
// 5. A package declares what it imports, and imports what it declares; a peer may also be there only for its callers.

import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, posix } from 'node:path'
import { parseSync } from 'oxc-parser'

const scope = '@lastgood/'
const layers: Record<string, readonly string[] | 'all'> = {
  core: [],
  'outage-lab': [],
  redis: ['core'],
  anthropic: ['core'],
  gateway: ['core'],
  dashboard: [],
  otel: ['core'],
  fleet: ['core'],
  cli: 'all',
}
const pure = ['journal', 'faults', 'machine', 'policy', 'backoff', 'ladder', 'repair']
const impure = /^(session|store|file|at-rest|records|wire|health|status-page|watching|export)$/
const clock = 'packages/core/src/clock.ts'
/** Declared because another dependency has it as a peer and imports it. */
const peerOf: Readonly<Record<string, string>> = { hono: '@hono/node-server' }
const disk = /^packages\/core\/src\/(file\/|store\/owner\.ts$)/

/** Files by path, relative to the root of the repository, with `/`. */
export type Files = ReadonlyMap<string, string>

interface Import {
  from: string
  /** The imported names; `*` for all. */
  names: string[]
  line: number
}

interface Module {
  path: string
  package: string
  imports: Import[]
  /** Files of the same package. */
  neighbours: string[]
  globals: { name: string; line: number }[]
}

/** Every broken rule as one line, `path:line: what`; empty when all is well. */
export function checkArchitecture(files: Files): string[] {
  const modules = [...files.keys()].filter(isSource).map((path) => readModule(path, files))
  return [
    ...modules.flatMap((module) => [...layerFaults(module), ...purityFaults(module)]),
    ...pureCoreFaults(modules),
    ...cycles(modules),
    ...dependencyFaults(modules, files),
  ].sort()
}

/** The manifests and sources of all packages below `root`. */
export function readPackages(root: string): Files {
  const files = new Map<string, string>()
  for (const { name } of readdirSync(join(root, 'packages'), { withFileTypes: true }).filter((one) =>
    one.isDirectory(),
  )) {
    for (const file of ['package.json', ...walk(join(root, 'packages', name, 'src'), 'src')]) {
      const path = `packages/${name}/${file}`
      files.set(path, readFileSync(join(root, path), 'utf8'))
    }
  }
  return files
}

function layerFaults(module: Module): string[] {
  const allowed = layers[module.package]
  if (allowed === undefined) return [`${module.path}: ${module.package} has no place among the layers yet`]
  return module.imports.flatMap(({ from, line }) => {
    const other = ourPackage(from)
    if (other !== undefined && (other === module.package || (allowed !== 'all' && !allowed.includes(other)))) {
      return [`${module.path}:${line}: ${module.package} may not import ${from}`]
    }
    if (from.startsWith('.') && !resolve(module.path, from).startsWith(`packages/${module.package}/`)) {
      return [`${module.path}:${line}: ${from} leaves the package`]
    }
    return []
  })
}

function purityFaults(module: Module): string[] {
  const { path } = module
  const faults: string[] = []
  const say = (line: number, text: string): void => void faults.push(`${path}:${line}: ${text}`)

  const mayTellTime = path === clock || module.package === 'outage-lab' || path.startsWith('packages/core/src/testing/')
  const mayReadProcess = module.package === 'cli'
  for (const { name, line } of module.globals) {
    if (name.startsWith('process.')) {
      if (!mayReadProcess) say(line, `only cli reads ${name}`)
    } else if (!mayTellTime) say(line, `${name} belongs to ${clock}`)
  }
  for (const { from, names, line } of module.imports) {
    const name = from.replace(/^node:/, '')
    if (/^timers(\/|$)/.test(name) && !mayTellTime) say(line, `${from} belongs to ${clock}`)
    if (name === 'process' && !mayReadProcess && names.some((taken) => /^(\*|env|argv)$/.test(taken))) {
      say(line, `only cli takes ${names.join(', ')} from ${from}`)
    }
    if (/^fs(\/|$)/.test(name) && module.package === 'core' && !disk.test(path)) {
      say(line, `in core only file/ and owner.ts import ${from}`)
    }
  }
  return faults
}

function pureCoreFaults(modules: Module[]): string[] {
  const core = new Map(modules.filter((module) => module.package === 'core').map((module) => [module.path, module]))
  const faults: string[] = []
  for (const start of core.values()) {
    if (!pure.includes(topic(start.path))) continue
    const queue: string[][] = [[start.path]]
    const seen = new Set<string>()
    for (const way of queue) {
      const here = way.at(-1) ?? ''
      if (seen.has(here)) continue
      seen.add(here)
      if (impure.test(topic(here))) {
        faults.push(`${start.path}: pure, but reaches ${way.slice(1).join(' -> ')}`)
        continue
      }
      for (const next of core.get(here)?.neighbours ?? []) queue.push([...way, next])
    }
  }
  return faults
}

function cycles(modules: Module[]): string[] {
  const graph = new Map(modules.map((module) => [module.path, module.neighbours]))
  const done = new Set<string>()
  const found = new Set<string>()
  const visit = (path: string, way: string[]): void => {
    const start = way.indexOf(path)
    if (start >= 0) {
      const circle = way.slice(start)
      const first = circle.indexOf([...circle].sort()[0] ?? '')
      const turned = [...circle.slice(first), ...circle.slice(0, first)]
      found.add(`${turned[0]}: imports in a circle: ${[...turned, turned[0]].join(' -> ')}`)
    } else if (!done.has(path)) {
      for (const next of graph.get(path) ?? []) visit(next, [...way, path])
      done.add(path)
    }
  }
  for (const path of graph.keys()) visit(path, [])
  return [...found]
}

function dependencyFaults(modules: Module[], files: Files): string[] {
  const faults: string[] = []
  for (const name of new Set(modules.map((module) => module.package))) {
    const path = `packages/${name}/package.json`
    const manifest = JSON.parse(files.get(path) ?? '{}') as Record<string, Record<string, string> | undefined>
    const own = Object.keys(manifest['dependencies'] ?? {})
    const declared = new Set([...own, ...Object.keys(manifest['peerDependencies'] ?? {})])
    const imports = modules
      .filter((module) => module.package === name)
      .flatMap((module) => module.imports.map(({ from, line }) => ({ from, place: `${module.path}:${line}` })))
      .filter(({ from }) => !from.startsWith('.') && !isBuiltin(from))
    // A package that imports nothing at all is only a skeleton.
    if (imports.length === 0) continue
    const used = new Set(imports.map(({ from }) => packageOf(from)))
    for (const { from, place } of imports) {
      if (!declared.has(packageOf(from)))
        faults.push(`${place}: ${packageOf(from)} is not in the dependencies of ${path}`)
    }
    for (const dependency of own) {
      if (used.has(peerOf[dependency] ?? '')) continue
      if (!used.has(dependency)) faults.push(`${path}: ${dependency} is declared, but nothing imports it`)
    }
  }
  return faults
}

function readModule(path: string, files: Files): Module {
  const text = files.get(path) ?? ''
  const { program, module, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`)
  const lineAt = (offset: number): number => text.slice(0, offset).split('\n').length
  const imports: Import[] = [
    ...module.staticImports.map((found) => ({
      from: found.moduleRequest.value,
      names: found.entries.map(({ importName }) => importName.name ?? '*'),
      line: lineAt(found.start),
    })),
    ...module.staticExports.flatMap((found) =>
      found.entries.flatMap((entry) =>
        entry.moduleRequest ? [{ from: entry.moduleRequest.value, names: ['*'], line: lineAt(found.start) }] : [],
      ),
    ),
    ...module.dynamicImports.flatMap((found) => {
      const literal = /^(['"`])(.*)\1$/.exec(text.slice(found.moduleRequest.start, found.moduleRequest.end))
      return literal?.[2] === undefined ? [] : [{ from: literal[2], names: ['*'], line: lineAt(found.start) }]
    }),
  ]
  const globals: Module['globals'] = []
  findGlobals(program, (name, offset) => globals.push({ name, line: lineAt(offset) }))
  const neighbours = imports
    .filter(({ from }) => from.startsWith('.'))
    .map(({ from }) => resolve(path, from))
    .filter((file) => files.has(file) && isSource(file))
  return { path, package: path.split('/')[1] ?? '', imports, neighbours: [...new Set(neighbours)], globals }
}

type Node = Record<string, unknown> & { type: string; start: number }
type Report = (name: string, offset: number) => void

const bareGlobals = new Set(['setTimeout', 'setInterval', 'randomUUID'])
const memberGlobals = new Set([
  'Date.now',
  'Math.random',
  'performance.now',
  'crypto.randomUUID',
  'process.env',
  'process.argv',
  'globalThis.setTimeout',
  'globalThis.setInterval',
])

/** Types do not count, nor do names that only look alike, such as a property called `setTimeout`. */
function findGlobals(node: unknown, report: Report): void {
  if (Array.isArray(node)) {
    for (const item of node) findGlobals(item, report)
    return
  }
  if (!isNode(node)) return
  if (/^TS(Type|Interface)/.test(node.type)) return
  const names: string[] = []
  switch (node.type) {
    case 'Identifier':
      if (bareGlobals.has(String(node['name']))) report(String(node['name']), node.start)
      return
    case 'MemberExpression': {
      const name = node['computed'] === true ? '' : `${nameOf(node['object'])}.${nameOf(node['property'])}`
      if (memberGlobals.has(name)) return report(name, node.start)
      if (node['computed'] !== true) names.push('property')
      break
    }
    case 'NewExpression':
    case 'CallExpression':
      if (nameOf(node['callee']) === 'Date' && (node['arguments'] as unknown[]).length === 0) {
        report('new Date()', node.start)
      }
      break
    case 'VariableDeclarator':
      if (nameOf(node['init']) === 'process') report('process.env', node.start)
      break
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
      // `import { randomUUID }` is reported where it is used.
      if (isNode(node['declaration'])) findGlobals(node['declaration'], report)
      return
    case 'Property':
      // In `{ setTimeout }` key and value are the same word; the value counts.
      if (node['computed'] !== true) names.push('key')
      break
    case 'MethodDefinition':
    case 'PropertyDefinition':
      if (node['computed'] !== true) names.push('key')
      break
  }
  for (const [key, child] of Object.entries(node)) {
    if (!names.includes(key)) findGlobals(child, report)
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'
}

function nameOf(node: unknown): string {
  return isNode(node) && node.type === 'Identifier' ? String(node['name']) : ''
}

function isSource(path: string): boolean {
  return path.endsWith('.ts') && !/\.(test|fixture)\.ts$/.test(path)
}

/** `packages/core/src/repair/rules.ts` and `packages/core/src/repair.ts` are both about `repair`. */
function topic(path: string): string {
  return (path.split('/')[3] ?? '').replace(/\.ts$/, '')
}

function resolve(path: string, from: string): string {
  return posix.join(posix.dirname(path), from)
}

function packageOf(from: string): string {
  const parts = from.split('/')
  return from.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '')
}

function ourPackage(from: string): string | undefined {
  const name = packageOf(from)
  if (name === 'lastgood') return 'cli'
  return name.startsWith(scope) ? name.slice(scope.length) : undefined
}

function walk(folder: string, name: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${name}/${entry.name}`
    return entry.isDirectory() ? walk(join(folder, entry.name), path) : [path]
  })
}
