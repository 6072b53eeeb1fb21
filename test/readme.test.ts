/** The READMEs are true: their snippets compile, their commands exist, their tables are those of the code. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { documentOf, documents, packages, root } from './support/documents.ts'
import { newFolder } from './support/folder.ts'

const run = promisify(execFile)

describe('README.md', () => {
  const { lines, fences } = documentOf('README.md')

  test('is short, and shows code early', () => {
    expect(lines.length - 1).toBeLessThanOrEqual(150)
    expect(fences.find(({ language }) => language === 'ts')?.line).toBeLessThan(30)
  })

  test('has the two commands that anybody can run', () => {
    const first = fences[0]!.text
    expect(first).toMatch(/^npx -y pnpm@12\.21\.0 demo\b/m)
    expect(first).toMatch(/^npx -y pnpm@12\.21\.0 test\b/m)
  })
})

test('the snippets and the examples compile', { timeout: 120_000 }, async () => {
  // Inside the workspace, so that imports resolve as they do for a user.
  const folder = newFolder(join(root, 'node_modules/.cache'))
  for (const [path, { fences }] of documents) {
    const place = join(folder, path.replaceAll('/', '-').replace(/\.md$/, ''))
    mkdirSync(place)
    writeFileSync(join(place, 'tools.d.ts'), readersTools)
    for (const { language, line, text } of fences) {
      if (!['ts', 'js'].includes(language)) continue
      // A first line with a file's name is for snippets that import each other.
      const [, name = `line-${line}.m${language}`] = /^\/\/ ([\w.-]+\.m?[jt]s)\n/.exec(text) ?? []
      writeFileSync(join(place, name), `${text}export {}\n`)
    }
  }
  writeFileSync(join(folder, 'left-out.d.ts'), leftOut)
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(project(root)))
  const tsc = run(join(root, 'node_modules/.bin/tsc'), ['-p', folder])
  expect(await tsc.catch((error: { stdout: string }) => error)).toMatchObject({ stdout: '' })
})

/** What a snippet may use without saying where it comes from. */
const leftOut = `
import type { Anthropic as Client } from '@anthropic-ai/sdk'
import type { Session } from '@lastgood/core'
declare global {
  const Anthropic: typeof Client
  const session: Session
  /** The reader's own: tools, what runs them, keys. */
  const tools: Client.Tool[]
  const runTool: (call: Client.ToolUseBlock) => Promise<Client.ToolResultBlockParam>
  const key: string
}
`

/** The reader's own `./tools.js`. */
const readersTools = `
import type { AgentTool } from '@lastgood/anthropic'
export declare const run: AgentTool
`

const project = (root: string) => ({
  extends: join(root, 'tsconfig.base.json'),
  compilerOptions: {
    composite: false,
    declaration: false,
    declarationMap: false,
    noEmit: true,
    allowJs: true,
    checkJs: true,
    rewriteRelativeImportExtensions: false,
    typeRoots: [join(root, 'node_modules/@types')],
  },
  include: ['.', join(root, 'examples/*/*.js')],
  exclude: [],
})

describe('commands', () => {
  const bin = join(root, 'packages/cli/dist/bin/lastgood.js')
  const helps = new Map<string, Promise<string>>()
  const helpOf = (command: string): Promise<string> => {
    const words = command === '' ? [] : [command]
    const help = helps.get(command) ?? run(process.execPath, [bin, ...words, '--help']).then(({ stdout }) => stdout)
    helps.set(command, help)
    return help
  }
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }

  const mentioned = new Set(
    [...documents.values()].flatMap(({ fences, code }) => [
      ...fences.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.split('\n')),
      ...code,
    ]),
  )
  /** Each command as its words, without comments, pipes, quoted texts and what only starts it. */
  const commands = [...mentioned]
    .map((line) =>
      line
        .replace(/\s+#.*/, '')
        .split(' | ')[0]!
        .replaceAll(/"[^"]*"|'[^']*'/g, 'text'),
    )
    .map((line) => line.trim().replace(/^npx (-y )?/, 'npx-'))
    .map((line) => line.replace(/^(npx-)?(lastgood|resume|pnpm)(@[\d.]+)? /, '$2 ').split(/\s+/))
    .filter((words) => words.length > 1)
  const wordsAfter = (program: string) => commands.filter(([first]) => first === program).map((words) => words.slice(1))
  const named = (lists: string[][]) => lists.map((words) => [words.join(' '), words] as const)

  // What comes after `--` is another program's.
  const ownOf = (words: string[]) => (words.includes('--') ? words.slice(0, words.indexOf('--')) : words)
  const own = [...wordsAfter('lastgood').map(ownOf), ...wordsAfter('resume').map((words) => ['resume', ...words])]
  test.each(named(own))('lastgood %s', async (_line, [command = '', ...words]) => {
    const isCommand = !command.startsWith('-')
    if (isCommand) expect(await helpOf('')).toMatch(new RegExp(`^  ${command}\\b`, 'm'))
    const help = await helpOf(isCommand ? command : '')
    for (const flag of [command, ...words].filter((word) => word.startsWith('-'))) {
      expect(help).toMatch(new RegExp(`${flag}\\b`))
    }
  })

  const tools = commands.flatMap(([first = '', ...words]) =>
    first.startsWith('npx-') ? [[first.slice('npx-'.length), ...words]] : first === 'pnpm' ? [words] : [],
  )
  test.each(named(tools))('pnpm %s', (_line, [command = '', ...words]) => {
    expect(command in scripts || existsSync(join(root, 'node_modules/.bin', command))).toBe(true)
    for (const word of words) if (word.endsWith('.ts')) expect(existsSync(join(root, word))).toBe(true)
  })

  const listed = async () => {
    const names = Array.from((await helpOf('')).matchAll(/^ {2}([a-z]+) {2}/gm), ([, command = '']) => command)
    return names.filter((command) => command !== 'help')
  }
  const flagsOf = (help: string) => Array.from(help.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm), ([, flag = '']) => flag)

  test('no option of a command is on no page', async () => {
    const helped = await Promise.all((await listed()).map(helpOf))
    const flags = helped.flatMap(flagsOf)
    expect(flags.length).toBeGreaterThan(helped.length)
    const words = [...mentioned].join(' ')
    expect([...new Set(flags)].filter((flag) => !new RegExp(`${flag}\\b`).test(words))).toEqual([])
  })

  test('each command has a row in the README of the command line, which has all of its options', async () => {
    const { lines } = documentOf('packages/cli/README.md')
    const text = lines.join('\n')
    const rows = lines.filter((line) => line.startsWith('| `lastgood '))
    const named = new Set(rows.flatMap((row) => Array.from(row.matchAll(/`lastgood ([a-z]+)/g), ([, name]) => name)))
    expect((await listed()).filter((command) => !named.has(command))).toEqual([])
    const flags = (await Promise.all((await listed()).map(helpOf))).flatMap(flagsOf)
    const missing = flags.filter((flag) => !new RegExp(`${flag}(?![\\w-])`).test(text))
    expect(new Set(missing)).toEqual(new Set(['--help', '--version']))
  })

  test('were found', () => {
    expect(own.length).toBeGreaterThan(5)
    expect(tools.length).toBeGreaterThan(1)
  })
})

test('CONTRIBUTING.md lists every package and every example', () => {
  const { rows } = documentOf('CONTRIBUTING.md')
  const examples = readdirSync(join(root, 'examples')).map((name) => `examples/${name}`)
  expect([...packages, ...examples].filter((folder) => !rows.some(([cell]) => cell === `\`${folder}\``))).toEqual([])
})

test('no page tells to install from the registry: the packages are not there yet', () => {
  const telling = [...documents].filter(([, { lines }]) =>
    lines.some(
      (line) => /\b(npm (install|i)|(pnpm|yarn) add|npx( -y)?) .*lastgood/.test(line) && !/npx -y pnpm@/.test(line),
    ),
  )
  expect(telling.map(([path]) => path)).toEqual([])
})

/** An interface of options, and the page that has them. */
const options = [
  ['core/src/session/session-options.ts', 'SessionOptions', 'packages/core/README.md'],
  ['core/src/policy/options.ts', 'PolicyOptions', 'docs/recovery.md'],
  ['core/src/wire/interceptor-options.ts', 'InterceptorOptions', 'packages/anthropic/README.md'],
  ['core/src/wire/watchdog.ts', 'Limits', 'packages/anthropic/README.md'],
  ['core/src/session/step-ledger.ts', 'StepOptions', 'packages/anthropic/README.md'],
  ['core/src/at-rest/encrypted.ts', 'EncryptionOptions', 'docs/at-rest.md'],
  ['core/src/at-rest/compressed.ts', 'CompressionOptions', 'docs/at-rest.md'],
  ['anthropic/src/agent-options.ts', 'AgentOptions', 'packages/anthropic/README.md'],
  ['anthropic/src/agent.ts', 'RunOptions', 'packages/anthropic/README.md'],
  ['anthropic/src/tool.ts', 'ToolOptions', 'packages/anthropic/README.md'],
  ['cli/src/config.ts', 'LastgoodConfig', 'packages/cli/README.md'],
  ['gateway/src/options.ts', 'GatewayOptions', 'packages/gateway/README.md'],
  ['fleet/src/options.ts', 'ClientOptions', 'docs/fleet.md'],
  ['fleet/src/options.ts', 'FleetOptions', 'docs/fleet.md'],
  ['fleet/src/submit.ts', 'SubmitOptions', 'docs/fleet.md'],
  ['redis/src/redis-store.ts', 'RedisStoreOptions', 'packages/redis/README.md'],
  ['otel/src/otel.ts', 'OtelOptions', 'packages/otel/README.md'],
  ['outage-lab/src/options.ts', 'LabOptions', 'packages/outage-lab/README.md'],
] as const

test.each(options)('%s: every field of %s is in %s', (file, name, page) => {
  const source = readFileSync(join(root, 'packages', file), 'utf8')
  const [, body = ''] = new RegExp(`export interface ${name}\\b[^{]*{\\n([\\s\\S]*?)\\n}`).exec(source) ?? []
  const fields = Array.from(body.matchAll(/^ {2}(?:readonly )?(\w+)\??[:(<]/gm), ([, field = '']) => field)
  expect(fields).not.toEqual([])
  const text = documentOf(page).lines.join('\n')
  expect(fields.filter((field) => !new RegExp(`\\b${field}\\b`).test(text))).toEqual([])
})

test('every variable of the environment that the command line reads is in its README', () => {
  const folder = join(root, 'packages/cli/src')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const source = files
    .filter((file) => !file.includes('.test.'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
  const named = Array.from(
    source.join('\n').matchAll(/\b(?:LASTGOOD|XDG|REDIS|ANTHROPIC|AWS|HTTPS?)_[A-Z_]+/g),
    ([name]) => name,
  )
  // What the demo tells its agent, and what clients of a gateway read.
  const read = new Set(named.filter((name) => !['LASTGOOD_DEMO_LAB', 'ANTHROPIC_CUSTOM_HEADERS'].includes(name)))
  const { rows } = documentOf('packages/cli/README.md')
  expect([...read].filter((name) => !rows.some(([first = '']) => first.includes(`\`${name}\``)))).toEqual([])
})

test('the events that listeners get are in the README of core', () => {
  const { rows } = documentOf('packages/core/README.md')
  const source = readFileSync(join(root, 'packages/core/src/session/events.ts'), 'utf8')
  const events = Array.from(source.matchAll(/^ {2}\| \{ type: '([a-z-]+)'/gm), ([, name]) => `\`${name}\``)
  expect(events.length).toBeGreaterThan(2)
  expect(events.filter((event) => !rows.some(([first]) => first === event))).toEqual([])
})
