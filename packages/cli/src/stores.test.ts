import { createServer } from 'node:net'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileStore } from '@lastgood/core/file'
import { describe, expect, it, onTestFinished } from 'vitest'
import { obliging, project, run, seed, sent, started } from '../test/context.ts'

const open = [started(1), sent()]

describe('the store is chosen by', () => {
  it.each([
    [
      '--store, before all others',
      ['--store', 'a'],
      { LASTGOOD_STORE: 'b', REDIS_URL: 'redis://127.0.0.1:1' },
      'a',
      '--store',
    ],
    ['LASTGOOD_STORE', [], { LASTGOOD_STORE: 'file:b', REDIS_URL: 'redis://127.0.0.1:1' }, 'b', 'LASTGOOD_STORE'],
    ['the configuration file', [], {}, 'state', 'lastgood.config.mjs'],
  ])('%s', async (_name, flags, env, dir, source) => {
    const { cwd } = project(obliging)
    const { code, stderr } = await run(['list', ...flags], { cwd, env })
    expect(code).toBe(0)
    expect(stderr).toMatch(new RegExp(`store +file:${cwd}/${dir} \\(.*${source}\\)`))
  })

  it.each([
    ['the state folder of the environment', { XDG_STATE_HOME: '/nowhere/state' }, '/nowhere/state/lastgood'],
    ['the state folder of the user', {}, '.local/state/lastgood'],
  ])('%s', async (_name, env, dir) => {
    const { cwd } = project()
    const { stderr } = await run(['list'], { cwd, env })
    expect(stderr).toContain(`${dir} (the default)`)
  })

  it('is asked where programs keep theirs, which read no XDG_STATE_HOME', async () => {
    const { cwd } = project()
    await seed(fileStore({ dir: join(cwd, '.local/state/lastgood') }), 'fix-auth', open)
    const { code, stderr } = await run(['show', 'fix-auth'], {
      cwd,
      home: cwd,
      env: { XDG_STATE_HOME: join(cwd, 'xdg') },
    })
    expect(code).toBe(3)
    expect(stderr).toContain(`it is in file:${cwd}/.local/state/lastgood (programs)`)
    expect(stderr).toContain(`next: lastgood show fix-auth --store file:${cwd}/.local/state/lastgood`)
  })

  it.each([
    [['list'], 0, ''],
    [['show', 'last'], 3, 'error: no session yet in file:DIR/xdg/lastgood\n  next: '],
    [['resume'], 2, 'error: name a session; there is none to resume in file:DIR/xdg/lastgood (the default); '],
  ])('%j says where programs keep theirs, if it finds none where a variable leads', async (argv, code, before) => {
    const { cwd } = project()
    const env = { XDG_STATE_HOME: join(cwd, 'xdg') }
    const there = `file:${cwd}/.local/state/lastgood`
    expect((await run(argv, { cwd, home: cwd, env })).stderr).not.toContain('there are some')
    await seed(fileStore({ dir: join(cwd, '.local/state/lastgood') }), 'fix-auth', open)
    const ran = await run(argv, { cwd, home: cwd, env })
    expect(ran.code).toBe(code)
    expect(ran.stderr).toContain(`${before.replace('DIR', cwd)}there are some in ${there} (programs)`)
    const [, command = ''] = /lastgood (list .*)/.exec(ran.stderr) ?? []
    expect((await run(command.split(' '), { cwd, home: cwd })).stdout).toContain('fix-auth')
  })

  it('the configuration file, whose folder is where a relative one begins: also from a folder below', async () => {
    const { cwd, store } = project(obliging)
    await seed(store, 'fix-auth', open)
    const below = join(cwd, 'src')
    mkdirSync(below)
    const listed = await run(['list'], { cwd: below })
    expect(listed.stdout).toContain('fix-auth')
    expect((await run(['config'], { cwd: below })).stdout).toContain(`file:${cwd}/state`)
    const elsewhere = await run(['resume', 'fix-auth', '--store', 'other'], { cwd: below })
    const [, command = ''] = /next: lastgood (.*)/.exec(elsewhere.stderr) ?? []
    expect(command).toBe(`resume fix-auth --store file:${cwd}/state`)
  })

  it('the configuration file, as a store of its own', async () => {
    const { cwd } = project()
    const { href } = new URL(import.meta.resolve('@lastgood/core/file'))
    writeFileSync(
      join(cwd, 'lastgood.config.mjs'),
      `import { fileStore } from ${JSON.stringify(href)}\nexport default { store: () => fileStore({ dir: ${JSON.stringify(join(cwd, 'own'))} }), agents: {} }`,
    )
    const { stderr } = await run(['list'], { cwd })
    expect(stderr).toContain(`file:${cwd}/own (`)
  })

  it('a configuration that is broken, never in its stead', async () => {
    const { cwd } = project()
    writeFileSync(join(cwd, 'lastgood.config.mjs'), 'throw new Error()')
    expect(await run(['list'], { cwd })).toMatchObject({ code: 4 })
    expect(await run(['list', '--store', 'state'], { cwd })).toMatchObject({ code: 0 })
  })
})

describe('a session that is not in the store', () => {
  it('is exit code 3, and other configured stores that have it are named', async () => {
    const { cwd, store } = project(obliging)
    await seed(store, 'fix-auth', open)
    const { code, stderr } = await run(['resume', 'fix-auth', '--store', 'other'], { cwd })
    expect(code).toBe(3)
    expect(stderr).toContain(
      `no session fix-auth in file:${cwd}/other; it is in file:${cwd}/state (${cwd}/lastgood.config.mjs)`,
    )
    expect(stderr).toContain(`next: lastgood resume fix-auth --store file:${cwd}/state\n`)
  })

  it('a store that cannot be asked is named, not taken for empty', async () => {
    const { cwd } = project(obliging)
    const { code, stderr } = await run(['show', 'fix-auth', '--store', 'other'], {
      cwd,
      env: { REDIS_URL: 'redis://127.0.0.1:1' },
    })
    expect(code).toBe(3)
    expect(stderr).toContain('the store of REDIS_URL could not be asked (store-unavailable)')
  })

  it('may have been a command, or another session', async () => {
    const { cwd, store } = project(obliging)
    await seed(store, 'fix-auth', open)
    expect((await run(['resume', 'lits'], { cwd })).stderr).toContain('did you mean list? lastgood list')
    const { code, stderr } = await run(['resume', 'fix-auht'], { cwd })
    expect(code).toBe(3)
    expect(stderr).toContain('did you mean fix-auth? lastgood resume fix-auth')
    // A configuration that was named is named again: it has the agent.
    writeFileSync(join(cwd, 'mine.mjs'), `export default { store: './state', agents: {} }`)
    const named = await run(['resume', 'fix-auht', '--config', 'mine.mjs'], { cwd })
    expect(named.stderr).toContain('did you mean fix-auth? lastgood resume fix-auth --config mine.mjs\n')
    const elsewhere = await run(['resume', 'fix-auth', '--store', 'other', '--config', 'mine.mjs'], { cwd })
    expect(elsewhere.stderr).toContain(`next: lastgood resume fix-auth --store file:${cwd}/state --config mine.mjs\n`)
    // To who only looks, nothing that costs; with the flag that leads there.
    const shown = await run(['show', 'fix-auht', '--store', 'state'], { cwd })
    expect(shown.stderr).toContain('did you mean fix-auth? lastgood show fix-auth --store state\n')
  })

  it('last of none', async () => {
    const { cwd } = project(obliging)
    const { code, stderr } = await run(['resume', 'last'], { cwd })
    expect(code).toBe(3)
    expect(stderr).toContain('no session yet')
  })
})

describe('a Redis that cannot be reached is exit code 4, soon, with address and hint and without its password', () => {
  it.each(['redis://kim:s3cret@127.0.0.1:1', 'rediss://:s3cret@127.0.0.1:1/2'])('nobody listens: %s', async (url) => {
    const { cwd } = project()
    const { code, stdout, stderr } = await run(['list', '--json', '--store', url], { cwd })
    expect(code).toBe(4)
    expect(stderr).toMatch(
      /error: no connection to Redis at rediss?:\/\/127\.0\.0\.1:1[^]*ECONNREFUSED[^]*next: check that the server is up/,
    )
    expect(stderr + stdout).not.toContain('s3cret')
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'lastgood.error/v1',
      error: { code: 'store-unavailable' },
      exitCode: 4,
    })
  })

  it('it accepts and never answers', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    server.on('connection', (socket) => onTestFinished(() => void socket.destroy()))
    const { port } = server.address() as { port: number }
    const { cwd } = project()
    const before = performance.now()
    const { code, stderr } = await run(['list', '--store', `redis://127.0.0.1:${port}`], { cwd })
    expect(code).toBe(4)
    expect(stderr).toContain(`redis://127.0.0.1:${port}`)
    expect(performance.now() - before).toBeLessThan(5_000)
  })

  it('its address cannot be read', async () => {
    const { cwd } = project()
    const { code, stderr } = await run(['list', '--store', 'redis://:p%ss@host:port'], { cwd })
    expect(code).toBe(2)
    expect(stderr).toContain('redis://host:6379/0')
    expect(stderr).not.toContain('p%ss')
  })
})

describe('an address that names no place is exit code 2, and never the current folder', () => {
  it.each([
    ['--store', ['--store', ''], {}],
    ['--store', ['--store', '   '], {}],
    ['--store', ['--store', 'file:'], {}],
    ['--store', ['--store', 'file://'], { REDIS_URL: 'redis://127.0.0.1:1' }],
    ['LASTGOOD_STORE', [], { LASTGOOD_STORE: ' ' }],
  ])('%s as %j with %j', async (source, flags, env) => {
    const { cwd } = project(obliging)
    const listed = await run(['list', ...flags], { cwd, env })
    expect(listed).toMatchObject({ code: 2, stdout: '' })
    expect(listed.stderr).toMatch(`error: ${source} is empty; is the variable set?\n  next: write redis://host:6379`)
    const examined = await run(['doctor', ...flags], { cwd, env })
    expect(examined).toMatchObject({ code: 1 })
    expect(examined.stdout).toContain(`the store (${source}) cannot be used: ${source} is empty`)
    expect(examined.stdout).not.toContain('config   cannot be loaded')
  })

  it('nor does an empty one of the configuration file', async () => {
    const { cwd } = project()
    const path = join(cwd, 'lastgood.config.mjs')
    writeFileSync(path, "export default { store: '', agents: {} }")
    const { code, stderr } = await run(['list'], { cwd })
    expect(code).toBe(2)
    expect(stderr).toContain(`error: ${path}: store is empty`)
  })

  it('a URL of a file on a host is told with what chose it, also by the doctor', async () => {
    const { cwd } = project(obliging)
    const env = { LASTGOOD_STORE: 'file://tmp/x' }
    expect(await run(['list'], { cwd, env })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('error: LASTGOOD_STORE is not a folder on this machine: file://tmp/x\n'),
    })
    const { stdout } = await run(['doctor'], { cwd, env })
    expect(stdout).toContain('the store (LASTGOOD_STORE) cannot be used')
    expect(stdout).not.toContain('configuration file')
  })

  it('a Redis without its host is told how to write it', async () => {
    const { cwd } = project()
    expect(await run(['list', '--store', 'redis:127.0.0.1'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /error: --store: the Redis address cannot be read\n {2}next: write it as redis:\/\/host:6379/,
      ),
    })
  })

  it.each(['/prod', '/1.5', '/1/2', '/99999999999', '?db=prod', '/-1'])(
    'a Redis whose database is no number is told by what names it: %s',
    async (path) => {
      const { cwd } = project()
      const url = `redis://127.0.0.1:1${path}`
      const told = (field: string) => `error: ${field}: the database in the Redis address is not a number\n`
      const named = await run(['list', '--store', url], { cwd })
      expect(named.code).toBe(2)
      expect(named.stderr).toContain(told('--store'))
      expect((await run(['list'], { cwd, env: { LASTGOOD_STORE: url } })).stderr).toContain(told('LASTGOOD_STORE'))
      expect((await run(['fleet', '--queue', url], { cwd })).stderr).toContain(told('--queue'))
    },
  )

  it.each([
    ['redis:', ': the Redis address cannot be read'],
    ['', ' is empty; is the variable set?'],
  ])('the queue %j of a configuration is told by its field', async (queue, what) => {
    const { cwd } = project()
    const path = join(cwd, 'lastgood.config.mjs')
    writeFileSync(path, `export default { store: './state', queue: '${queue}', agents: {} }`)
    expect((await run(['fleet'], { cwd })).stderr).toContain(`${path}: queue${what}\n`)
  })

  it('a fleet whose store is none is told of the store', async () => {
    const { cwd } = project()
    const { code, stderr } = await run(['fleet', '--store', ''], { cwd })
    expect(code).toBe(2)
    expect(stderr).toContain('error: --store is empty; is the variable set?\n')
  })

  it('a queue that is none is told as one', async () => {
    const { cwd } = project(obliging)
    const { code, stderr } = await run(['worker', '--store', 'redis://127.0.0.1:1', '--queue', 'notaurl'], { cwd })
    expect(code).toBe(2)
    expect(stderr).toContain('a fleet needs a Redis for its queue, and --queue names none\n')
  })
})

it.each([
  'redis://kim:65123/s3cret@127.0.0.1:1',
  'redis://kim:65123#s3cret@127.0.0.1:1',
  'redis://kim:65123?s3cret@127.0.0.1:1',
])('a password that was not encoded is not taken for a port, a database or a host: %s', async (address) => {
  const { cwd } = project()
  for (const command of ['list', 'doctor']) {
    const { stdout, stderr } = await run([command, '--json', '--store', address], { cwd })
    expect(stdout + stderr).toContain('encode special characters')
    expect(stdout + stderr).not.toMatch(/s3cret|6512/)
  }
})

it('a folder that is a file is exit code 4', async () => {
  const { cwd } = project()
  writeFileSync(join(cwd, 'file'), '')
  const { code, stderr } = await run(['list', '--store', 'file'], { cwd })
  expect(code).toBe(4)
  expect(stderr).toContain('ENOTDIR')
})

it('a path may start at home, and an address may be a URL', async () => {
  const { cwd, store } = project()
  await seed(store, 's', open)
  for (const address of ['~/state', `file://${cwd}/state`, `file:${cwd}/state`, './state']) {
    const { stdout } = await run(['list', '--store', address], { cwd })
    expect(stdout).toContain('interrupted  s')
  }
  expect(fileStore({ dir: join(cwd, 'state') }).location).toBe(store.location)
})
