import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { obliging, project, run, seed, sent, started } from '../test/context.ts'

const open = [started(1), sent()]

/** What a Node without TypeScript throws for the file, whatever is in it; thrown by the file itself in one that has it. */
const unknownForm = `throw Object.assign(new TypeError('Unknown file extension ".ts"'), { code: 'ERR_UNKNOWN_FILE_EXTENSION' })`

const bin = fileURLToPath(new URL('../dist/bin/lastgood.js', import.meta.url))

/** Resumes an interrupted session of the agent `coder` with this configuration. */
async function resumeWith(text: string | undefined, name = 'lastgood.config.mjs') {
  const { cwd, store } = project()
  await seed(store, 's', open)
  if (text !== undefined) writeFileSync(join(cwd, name), text)
  const ran = await run(['resume', 's', '--store', 'state'], { cwd })
  return { ...ran, cwd, summary: await store.summary('s') }
}

describe('a configuration that cannot be used is exit code 4, names the file and the next step', () => {
  it.each([
    ['is missing', undefined, 'no configuration file in', 'write lastgood.config.mjs'],
    ['throws', `throw new Error('no such key: API')`, 'could not be loaded', 'cause: Error: no such key: API'],
    ['does not parse', 'export default {', 'could not be loaded', 'cause: '],
    ['has no default export', 'export const agents = {}', 'has no default export', 'export default defineConfig'],
    [
      'has no agents',
      "export default { store: './state' }",
      'has no agent "coder"; it has none',
      'add it under agents',
    ],
    ['has a number for agents', 'export default { agents: 5 }', 'agents: Invalid input', 'export default defineConfig'],
    ['has a typo', 'export default { agents: {}, polcy: {} }', 'polcy', 'next: did you mean policy?'],
    [
      'has a field of nobody',
      'export default { agents: {}, colour: 1 }',
      'colour',
      'next: fields: store, queue, agents',
    ],
    [
      'has a number for a store',
      'export default { agents: {}, store: 5 }',
      'store: Invalid',
      'store takes an address, or',
    ],
    [
      'has a number for a page',
      'export default { agents: {}, statusPage: 7 }',
      'statusPage: Invalid',
      'takes false, or',
    ],
    [
      'has a wrong price',
      'export default { agents: {}, prices: { m: 3 } }',
      'prices.m: Invalid',
      'takes USD for a million',
    ],
    [
      'names a status page of no address',
      `export default { agents: {}, statusPage: { urls: ['status.claude.com'] } }`,
      'statusPage.urls.0: Invalid URL',
      'statusPage takes false, or addresses of summary.json',
    ],
    [
      'lacks the agent',
      `export default { agents: { reviewer: {} } }`,
      'has no agent "coder"; it has reviewer',
      'add it under agents',
    ],
    [
      'has it under a similar name',
      `export default { agents: { codre: {} } }`,
      'has no agent "coder"',
      'was "codre" renamed?',
    ],
    [
      'has an agent of another name',
      `export default { agents: { coder: { name: 'kim', run() {} } } }`,
      'is an agent called "kim"',
      'write agents:',
    ],
    [
      'has something else for an agent',
      `export default { agents: { coder: { name: 'coder' } } }`,
      'is no agent',
      'write agents:',
    ],
    [
      'fails to make the agent',
      `export default { agents: { coder() { throw new Error('boom') } } }`,
      'agents.coder threw',
      'cause: Error: boom',
    ],
    [
      'has a policy that is none',
      `export default { agents: { ${obliging} }, policy: { horizon: 1 } }`,
      'lastgood.config.mjs: policy: ',
      'next:',
    ],
    [
      'has a policy in other units',
      `export default { agents: { ${obliging} }, policy: { horizonMs: '2h' } }`,
      'horizonMs',
      'next:',
    ],
    ['has its agents under a similar name', 'export default { agnets: {} }', 'agnets', 'next: did you mean agents?'],
  ])('%s', async (_case, text, problem, next) => {
    const { code, stdout, stderr, cwd, summary } = await resumeWith(text)
    expect(stdout).toBe('')
    expect(stderr).toContain(problem)
    expect(stderr).toContain(next)
    if (text !== undefined) expect(stderr).toContain(join(cwd, 'lastgood.config.mjs'))
    expect(code).toBe(4)
    expect(summary, 'the session was not touched').toMatchObject({ head: { status: 'running', seq: 3 }, holder: null })
  })

  it.each([
    ['an agent', 'export default { agents: { coder: () => new Promise(() => {}) } }', ': agents.coder'],
    ['the file', 'await new Promise(() => {})\nexport default { agents: {} }', ''],
  ])('waits in %s for something that never comes: who is said, before the process ends', async (_case, text, who) => {
    const { cwd, store } = project()
    await seed(store, 's', open)
    const path = join(cwd, 'lastgood.config.mjs')
    writeFileSync(path, text)
    const { status, stderr } = spawnSync(process.execPath, [bin, 'resume', 's', '--store', 'state'], {
      cwd,
      encoding: 'utf8',
    })
    expect(status).toBe(4)
    expect(stderr).toContain(`error: ${path}${who} waits for something that never comes\n  next: see what`)
  })

  it.each([
    ['it', { 'lastgood.config.js': "import 'node:fs'" }, 'lastgood.config.js'],
    ['it, without an import', { 'lastgood.config.js': 'export default {}' }, 'lastgood.config.js'],
    [
      'a file that it imports',
      { 'lastgood.config.mjs': "import './a.js'", 'a.js': 'export {}' },
      'lastgood.config.mjs',
    ],
  ])('is no module, since the project is CommonJS: %s', (_case, files, name) => {
    const { cwd } = project()
    for (const [file, text] of Object.entries({ 'package.json': '{ "type": "commonjs" }', ...files })) {
      writeFileSync(join(cwd, file), text)
    }
    const env = { PATH: process.env['PATH'], XDG_STATE_HOME: cwd }
    const { status, stderr } = spawnSync(process.execPath, [bin, 'list'], { cwd, env, encoding: 'utf8' })
    expect(status).toBe(4)
    expect(stderr).toContain(`error: ${join(cwd, name)} could not be loaded\n`)
    expect(stderr).toContain(
      '  next: say "type": "module" in package.json, or end its name in .mjs (TypeScript: .mts); ',
    )
  })

  it('is a link to nothing', async () => {
    const { cwd } = project()
    symlinkSync(join(cwd, 'gone.mjs'), join(cwd, 'lastgood.config.mjs'))
    const { code, stderr } = await run(['list'], { cwd })
    expect(code).toBe(4)
    expect(stderr).toContain(`${cwd}/lastgood.config.mjs could not be loaded`)
  })

  it('is TypeScript, and this Node cannot import it', async () => {
    const { code, stderr } = await resumeWith(unknownForm, 'lastgood.config.ts')
    expect(code).toBe(4)
    expect(stderr).toMatch(/lastgood\.config\.ts: this Node \(v20\.20\.2\)[^]*Node 22\.18[^]*lastgood\.config\.mjs/)
  })
})

describe('the configuration file', () => {
  it('is found from a folder below', async () => {
    const { cwd, store } = project(obliging)
    await seed(store, 's', open)
    const below = join(cwd, 'packages', 'app')
    mkdirSync(below, { recursive: true })
    const { code, stdout } = await run(['resume', 's', '--store', join(cwd, 'state')], { cwd: below })
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'All done.\n' })
  })

  it('in JavaScript is taken where the one in TypeScript beside it cannot be imported', async () => {
    const { cwd, store } = project(obliging)
    writeFileSync(join(cwd, 'lastgood.config.ts'), unknownForm)
    await seed(store, 's', open)
    expect(await run(['resume', 's', '--store', 'state'], { cwd })).toMatchObject({ code: 0 })
  })

  it('in TypeScript is imported by whatever can, such as a loader', async () => {
    const { cwd } = project()
    writeFileSync(join(cwd, 'lastgood.config.ts'), "export default { store: './state' as string }")
    const loader = `import { register } from 'node:module'
      register('data:text/javascript,' + encodeURIComponent(\`export const load = async (url, context, next) => url.endsWith('.ts')
        ? { format: 'module', source: "export default { store: './state' }", shortCircuit: true } : next(url, context)\`))`
    writeFileSync(join(cwd, 'loader.mjs'), loader)
    const { status, stderr } = spawnSync(process.execPath, ['--import', './loader.mjs', bin, 'list'], {
      cwd,
      encoding: 'utf8',
    })
    expect({ status, stderr }).toMatchObject({ status: 0, stderr: expect.stringContaining('lastgood.config.ts') })
  })

  it('may have a store alone, as for sessions of clients behind the gateway', async () => {
    const { cwd, store } = project()
    await seed(store, 's', open)
    writeFileSync(join(cwd, 'lastgood.config.mjs'), "export default { store: './state' }")
    for (const argv of [['list'], ['doctor'], ['config'], ['rewind', 's', '--turn', '0', '--yes']])
      expect(await run(argv, { cwd })).toMatchObject({ code: 0 })
    expect((await run(['doctor'], { cwd })).stdout).toContain('(no agents)')
  })

  it.each(['', ' '])('named by nothing (%j) is told as an empty variable', async (name) => {
    const { cwd } = project(obliging)
    const { code, stderr } = await run(['list', '--config', name], { cwd })
    expect(code).toBe(2)
    expect(stderr).toContain('error: --config is empty; is the variable set?\n  next: give --config the path')
  })

  it('prints to stderr, when it is loaded and when it makes something, and never among data', () => {
    const { cwd } = project()
    const { href } = new URL(import.meta.resolve('@lastgood/core/file'))
    writeFileSync(
      join(cwd, 'lastgood.config.mjs'),
      `import { fileStore } from ${JSON.stringify(href)}
      console.log('loaded')
      export default { agents: {}, store() { console.info('made'); return fileStore({ dir: ${JSON.stringify(join(cwd, 'own'))} }) } }`,
    )
    const lines = [
      ['list', '--json'],
      ['complete', '--', 'show', ''],
    ]
    for (const argv of lines) {
      const { stdout, stderr } = spawnSync(process.execPath, [bin, ...argv], { cwd, encoding: 'utf8' })
      expect(stderr).toContain('loaded\nmade\n')
      expect(stdout).not.toMatch(/loaded|made/)
    }
  })

  it('may be named, and one that is not there is an error', async () => {
    const { cwd, store } = project()
    await seed(store, 's', open)
    writeFileSync(join(cwd, 'mine.mjs'), `export default { agents: { ${obliging} } }`)
    expect(await run(['resume', 's', '--store', 'state', '--config', 'mine.mjs'], { cwd })).toMatchObject({ code: 0 })
    const { code, stderr } = await run(['resume', 's', 'again', '--store', 'state', '--config', 'yours.mjs'], { cwd })
    expect(code).toBe(4)
    expect(stderr).toContain('yours.mjs')
  })
})
