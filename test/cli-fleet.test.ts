// The commands of a fleet against a real Redis.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSession } from '@lastgood/core'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { newFolder, obliging, run } from '../packages/cli/test/context.ts'

/** A project whose sessions are in a database of its own, so that its keys can have their usual names. */
async function project(database: number, { agents = obliging, more = '' } = {}) {
  const url = `${inject('redisUrl')}/${database}`
  const redis = new Redis(url)
  onTestFinished(() => redis.disconnect())
  await redis.flushdb()
  const cwd = newFolder()
  const config = `export default { store: '${url}', agents: { ${agents} }, ${more} }\n`
  writeFileSync(join(cwd, 'lastgood.config.mjs'), config)
  return { cwd, url, redis, store: redisStore(redis) }
}

/** An agent that sends one request, which is answered here. */
const asking = `asking: { name: 'asking', async run(session) {
  const { intercept } = await import(${JSON.stringify(import.meta.resolve('@lastgood/core'))})
  const message = { id: 'msg', type: 'message', role: 'assistant', model: 'claude-opus-5-5', content: [{ type: 'text', text: 'Done.' }], stop_reason: 'end_turn' }
  const body = JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 9, messages: session.messages() })
  const request = { url: 'https://api.test/v1/messages', method: 'POST', headers: new Headers(), body }
  await intercept(session, { record: 'always' })(request, async () => Response.json(message))
} }`

describe('lastgood worker', () => {
  it('goes on with what was submitted, says a line for each change, and gives all back when it is asked to stop', async () => {
    const { cwd, store } = await project(11)
    const submitted = await run(['submit', 'fix-auth', '--agent', 'coder', 'Make it', 'green'], { cwd })
    expect(submitted).toEqual({
      code: 0,
      stdout: '',
      stderr: 'turn 1 queued for coder: lastgood watch fix-auth\n',
    })
    expect(await run(['fleet'], { cwd })).toMatchObject({
      code: 0,
      stdout: 'coder  0 under way, 1 queued\n0 due, 1 due later\n',
    })
    const worker = run(['worker'], { cwd })
    await expect.poll(() => worker.stderr.text, { timeout: 10_000 }).toContain('fix-auth  ✔ turn 1 is saved\n')
    worker.stop('SIGTERM')
    const { code, stderr, stdout } = await worker
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(stderr).toMatch(
      /^store .*\nqueue .*\nagents {3}coder\nfix-auth {2}turn 1 under way, coder\nfix-auth {2}✔ .*\nstopped\n$/,
    )
    expect(await store.summary('fix-auth')).toMatchObject({ head: { status: 'idle', lastGoodTurn: 1 }, holder: null })
  })

  it('with --log json says the same as objects, without content', async () => {
    const { cwd } = await project(12)
    const { stdout } = await run(['submit', 's', '--agent', 'coder', '--batch', '--json', 'private words'], { cwd })
    expect(JSON.parse(stdout)).toEqual({
      schema: 'lastgood.submit/v1',
      sessionId: 's',
      agent: 'coder',
      turn: 1,
      isNew: true,
      priority: 'batch',
      waitsFor: null,
    })
    const worker = run(['worker', '--log', 'json', '--agent', 'coder'], { cwd })
    await expect.poll(() => worker.stderr.text, { timeout: 10_000 }).toContain('"event":"ended"')
    worker.stop('SIGINT')
    const { stderr } = await worker
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string })
    expect(lines.map(({ event }) => event)).toEqual(expect.arrayContaining(['ready', 'started', 'ended', 'stopped']))
    expect(stderr).not.toContain('private')
  })

  it('keeps the rate of a model that the configuration names, and refuses one that is none', async () => {
    const { cwd, url, redis } = await project(10, {
      agents: asking,
      more: "perMinute: { 'claude-opus-5-5': 600 }",
    })
    await run(['submit', 's', '--agent', 'asking', 'Go.'], { cwd })
    const worker = run(['worker'], { cwd })
    await expect.poll(() => worker.stderr.text, { timeout: 10_000 }).toContain('turn 1 is saved')
    expect(await redis.keys('lastgood:{limit:claude-opus-5-5@*}:bucket')).toHaveLength(1)
    worker.stop('SIGTERM')
    await worker
    const text = `export default { store: '${url}', perMinute: { m: 0 }, agents: {} }\n`
    writeFileSync(join(cwd, 'other.config.mjs'), text)
    expect(await run(['worker', '--config', 'other.config.mjs'], { cwd })).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('perMinute.m'),
    })
  })

  it('takes the queue that the configuration makes, as for Sentinel or a Cluster, unless a flag names the store', async () => {
    const { cwd, url, redis } = await project(15)
    const file = (name: string, queue: string) => {
      writeFileSync(join(cwd, name), `export default { store: 'state', agents: { ${obliging} }, queue: ${queue} }\n`)
      return ['--config', name]
    }
    const ioredis = JSON.stringify(import.meta.resolve('ioredis'))
    const flags = file('queue.mjs', `async () => new (await import(${ioredis})).Redis('${url}')`)
    await run(['submit', 's', '--agent', 'coder', 'Go.', ...flags], { cwd })
    const worker = run(['worker', ...flags], { cwd })
    await expect.poll(() => worker.stderr.text, { timeout: 10_000 }).toContain('turn 1 is saved')
    worker.stop('SIGTERM')
    const { stderr } = await worker
    expect(stderr).toContain(`queue    a client of ${join(cwd, 'queue.mjs')}\n`)
    expect(stderr).toContain(`store    file:${join(cwd, 'state')} `)
    expect(await redis.smembers('lastgood:fleet:agents')).toEqual(['coder'])
    // What is submitted from another store is not for the workers of this one.
    const elsewhere = await run(['fleet', ...flags, '--store', 'other'], { cwd })
    expect(elsewhere).toMatchObject({ code: 2, stderr: expect.stringContaining('a fleet needs a Redis') })
    expect(await run(['fleet', ...file('none.mjs', '{}')], { cwd })).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('none.mjs: queue is no Redis client'),
    })
    const { stdout } = await run(['config', ...flags], { cwd })
    expect(stdout).toMatch(/queue of the fleet +the file +a client that it makes\n/)
  })

  it('needs a Redis for its queue, an agent that is there, and says what to do without', async () => {
    const { cwd } = await project(13)
    const local = await run(['worker', '--store', 'state'], { cwd })
    expect(local).toMatchObject({ code: 2, stderr: expect.stringContaining('--queue redis://127.0.0.1:6379') })
    const unknown = await run(['worker', '--agent', 'codre'], { cwd })
    expect(unknown).toMatchObject({ code: 4, stderr: expect.stringContaining('no agent "codre"') })
    expect(unknown.stderr).not.toContain('stopped')
  })
})

describe('lastgood submit', () => {
  it('of a turn that waits for a person says so, and the command that goes on: no worker would', async () => {
    const { cwd, store } = await project(14)
    const words = ['submit', 's', '--agent', 'coder', 'Go.']
    await run(words, { cwd })
    expect((await run(words, { cwd })).stderr).toBe('turn 1 was already queued for coder: lastgood watch s\n')
    const session = await openSession('s', { store })
    await session.suspend('interrupted', 'stopped by SIGINT')
    await session.close()
    expect(await run(words, { cwd })).toEqual({
      code: 0,
      stdout: '',
      stderr:
        'turn 1 is open, and waits for you, not for a worker (stopped by SIGINT): lastgood resume s; to let a worker continue it: lastgood submit s\n',
    })
    const { stdout } = await run([...words, '--json'], { cwd })
    expect(JSON.parse(stdout)).toMatchObject({ turn: 1, isNew: false, waitsFor: 'stopped by SIGINT' })
    expect(await run(['submit', 's'], { cwd })).toEqual({
      code: 0,
      stdout: '',
      stderr: 'turn 1 is left to the workers of coder: lastgood watch s\n',
    })
    expect(await store.summary('s')).toMatchObject({ head: { status: 'running' }, holder: null })
  })

  it('leaves a session that its client continues itself to the client, and names its command', async () => {
    const { cwd, store } = await project(14)
    const session = await openSession('s', { store })
    await session.startTurn([{ role: 'user', content: 'Go.' }], 'claude-code')
    await session.suspend('interrupted', 'stopped by SIGINT')
    const before = await store.summary('s')
    const { code, stderr } = await run(['submit', 's'], { cwd })
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('-- claude --resume s') })
    expect(await store.summary('s')).toEqual(before)
    expect((await run(['fleet'], { cwd })).stdout).toMatch(/^no agent/)
  })

  it.each([
    [['words'], 'no agent is named'],
    [['--agent', 'coder'], 'the message is empty'],
    [['--turn', '2'], 'no agent is named'],
    [['--agent', 'coder', ' '], 'the message is empty'],
  ])('of %j says what is missing, and opens nothing', async (words, problem) => {
    const { cwd, store } = await project(14)
    expect(await run(['submit', 's', ...words], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(problem),
    })
    expect(await store.summary('s')).toBeUndefined()
  })

  it('with the number of its turn begins nothing twice, also once the turn has ended: for a job that is started again', async () => {
    const { cwd, store } = await project(14)
    const words = ['submit', 's', '--agent', 'coder', '--turn', '1', 'Go.']
    expect((await run(words, { cwd })).stderr).toBe('turn 1 queued for coder: lastgood watch s\n')
    expect((await run(['resume', 's'], { cwd })).code).toBe(0)
    const { stdout } = await run([...words, '--json'], { cwd })
    expect(JSON.parse(stdout)).toMatchObject({ turn: 1, isNew: false, waitsFor: null })
    expect(await store.summary('s')).toMatchObject({ head: { turn: 1, lastGoodTurn: 1 } })
  })
})

describe('a turn that no worker has taken yet', () => {
  it('is queued in every list, not interrupted, until its fleet is no longer heard of', async () => {
    const { cwd, store, redis } = await project(13)
    const listed = async () => {
      const { stdout } = await run(['list', '--json'], { cwd })
      const { sessions } = JSON.parse(stdout) as { sessions: { status: string; recoverable: boolean }[] }
      return sessions.map(({ status, recoverable }) => ({ status, recoverable }))
    }
    await run(['submit', 's', '--agent', 'coder', 'Go.'], { cwd })
    expect(await listed()).toEqual([{ status: 'queued', recoverable: false }])
    expect((await run(['list', '--state', 'interrupted'], { cwd })).stderr).toContain('nothing to resume; 1 more')
    const { stdout } = await run(['doctor'], { cwd })
    expect(stdout).toContain('session s is left to the workers of a fleet')
    expect(stdout).not.toContain('was cut off')
    expect((await run(['status', '--report'], { cwd })).stdout).not.toContain('coder')
    expect(await run(['resume', '--no-input'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is none to resume'),
    })
    // Another program holds it, and gives it back.
    const session = await openSession('s', { store })
    expect(await listed()).toEqual([{ status: 'running', recoverable: false }])
    await session.close()
    expect(await listed()).toEqual([{ status: 'queued', recoverable: false }])
    await redis.hdel('lastgood:shared', 'fleet:agents')
    expect(await listed()).toEqual([{ status: 'interrupted', recoverable: true }])
    expect((await run(['doctor'], { cwd })).stdout).toContain('session s was cut off')
    // A worker makes it known again, and a person may still resume it.
    const worker = run(['worker'], { cwd })
    await expect.poll(() => worker.stderr.text, { timeout: 10_000 }).toContain('turn 1 is saved')
    worker.stop('SIGTERM')
    await worker
    expect(await redis.hget('lastgood:shared', 'fleet:agents')).toContain('coder')
  })
})

describe('lastgood fleet', () => {
  it('pauses and resumes what workers take', async () => {
    const { cwd, redis } = await project(14)
    expect((await run(['fleet'], { cwd })).stdout).toMatch(/^no agent/)
    const pausedAll = /^no agent has had a session yet\nagents that come later are paused, too\n/
    expect((await run(['fleet', 'pause'], { cwd })).stdout).toMatch(pausedAll)
    expect((await run(['fleet', 'resume'], { cwd })).stdout).not.toContain('paused')
    await run(['submit', 's', '--agent', 'coder', 'Go.'], { cwd })
    expect((await run(['fleet', 'drain'], { cwd })).stdout).toMatch(/^coder {2}0 under way, 1 queued, paused\n/)
    // A worker that died in the middle: nobody is left who would take it off the list.
    await redis.lpush('{lastgood:fleet}:coder:active', 'session-t.2')
    expect((await run(['fleet', 'drain'], { cwd })).stdout).toMatch(/^coder {2}0 under way, 1 queued, paused\n/)
    expect(await run(['fleet', 'pause', '--agent', 'codr'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('the fleet has no agent "codr"; it has coder'),
    })
    const { stdout } = await run(['fleet', 'resume', '--agent', 'coder', '--json'], { cwd })
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'lastgood.fleet/v1',
      agents: { coder: { waiting: 1, active: 0, paused: false } },
    })
  })

  it('drain ends when somebody resumes, and says that nothing was drained', async () => {
    const { cwd, redis } = await project(9)
    await run(['submit', 's', '--agent', 'coder', 'Go.'], { cwd })
    // A worker that is at it.
    await redis.lpush('{lastgood:fleet}:coder:active', 'session-t.2')
    await redis.set('{lastgood:fleet}:coder:session-t.2:lock', 'token')
    const drain = run(['fleet', 'drain'], { cwd })
    await expect.poll(async () => (await run(['fleet'], { cwd })).stdout).toContain('1 under way, 1 queued, paused')
    await run(['fleet', 'resume'], { cwd })
    expect(await drain).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^coder {2}1 under way, 1 queued\n/),
      stderr: 'not drained: somebody resumed coder\n',
    })
  })
})
