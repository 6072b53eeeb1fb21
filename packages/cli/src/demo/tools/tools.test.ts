import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentTool } from '@lastgood/anthropic'
import { systemClock } from '@lastgood/core'
import { beforeEach, describe, expect, test } from 'vitest'
import { newFolder } from '../../../../../test/support/folder.ts'
import { readEffects, refereed } from './effects-log.ts'
import { fileTools } from './file-tools.ts'
import { commandEnv, runTool } from './run-tool.ts'

let root: string
let tools: Map<string, AgentTool>

beforeEach(() => {
  const folder = newFolder()
  root = join(folder, 'repository')
  mkdirSync(join(root, 'src'), { recursive: true })
  mkdirSync(join(root, '.git'))
  writeFileSync(join(folder, 'secret.txt'), 'secret')
  writeFileSync(join(root, 'src/a.txt'), 'one\ntwo\none more\n')
  const shell = runTool({ root, env: process.env, description: 'Run.', hasTimeLimit: true })
  tools = new Map([...fileTools(root), shell].map((one) => [one.definition.name, one]))
})

async function call(name: string, input: object, signal = new AbortController().signal) {
  const result = await tools.get(name)?.run(input, { toolUseId: 't', idempotencyKey: 's:1.1', signal })
  return { text: String(result?.['content']), isError: result?.['is_error'] === true }
}

describe('the file tools', () => {
  test('read, list and grep what is in the repository, without what is git’s', async () => {
    expect(await call('read', { path: 'src/a.txt' })).toEqual({ text: 'one\ntwo\none more\n', isError: false })
    expect(await call('list', { path: '.' })).toEqual({ text: 'src/a.txt', isError: false })
    expect(await call('grep', { path: 'src', pattern: '^one' })).toMatchObject({
      text: 'src/a.txt:1: one\nsrc/a.txt:3: one more',
    })
    expect(await call('grep', { path: '.', pattern: 'four' })).toMatchObject({ text: 'no matches' })
  })

  test('edit exactly one place, and say when there is none or more', async () => {
    expect(await call('edit', { path: 'src/a.txt', old: 'two', new: '$&' })).toMatchObject({ text: 'edited src/a.txt' })
    expect(readFileSync(join(root, 'src/a.txt'), 'utf8')).toBe('one\n$&\none more\n')
    expect(await call('edit', { path: 'src/a.txt', old: 'two', new: '2' })).toMatchObject({ isError: true })
    expect((await call('edit', { path: 'src/a.txt', old: 'one', new: '1' })).text).toContain('2 times')
  })

  test('write, and tell a first write from a second', async () => {
    expect(await call('write', { path: 'new/b.txt', content: 'b' })).toMatchObject({ text: 'created new/b.txt' })
    expect(await call('write', { path: 'new/b.txt', content: 'c' })).toMatchObject({ text: 'changed new/b.txt' })
    expect(await call('write', { path: 'new/b.txt', content: 'c' })).toMatchObject({ text: 'did not change new/b.txt' })
  })

  test.each([
    '../secret.txt',
    '/etc/hostname',
    'src/../../secret.txt',
    '.git/config',
    'link/secret.txt',
    'link/new.txt',
    'to-secret',
  ])('do not leave the repository: %s', async (path) => {
    symlinkSync('..', join(root, 'link'))
    symlinkSync('../secret.txt', join(root, 'to-secret'))
    expect(await call('read', { path })).toMatchObject({ isError: true })
    expect(await call('write', { path, content: 'x' })).toMatchObject({ isError: true })
    expect(await call('edit', { path, old: 'secret', new: 'x' })).toMatchObject({ isError: true })
    expect(readFileSync(join(root, '../secret.txt'), 'utf8')).toBe('secret')
    expect(existsSync(join(root, '../new.txt'))).toBe(false)
  })

  test('tell bad input apart from a failure', async () => {
    expect((await call('read', { path: 1 })).text).toContain('invalid input')
    expect((await call('read', { path: 'src/none.txt' })).text).toContain('ENOENT')
  })

  test('may run again after a crash only if they change nothing', () => {
    expect([...tools].map(([name, one]) => [name, one.inDoubt])).toEqual([
      ['read', 'rerun'],
      ['look', 'rerun'],
      ['list', 'rerun'],
      ['grep', 'rerun'],
      ['edit', 'report'],
      ['write', 'report'],
      ['run', 'report'],
    ])
  })
})

describe('the shell', () => {
  test('gives output, and the exit code of what fails', async () => {
    expect(await call('run', { command: 'cat src/a.txt && true' })).toEqual({
      text: 'one\ntwo\none more',
      isError: false,
    })
    expect(await call('run', { command: 'true' })).toMatchObject({ text: 'done, no output' })
    expect(await call('run', { command: 'echo no >&2; exit 3' })).toEqual({
      text: 'Error: exit code 3\nno',
      isError: true,
    })
  })

  test('gives no result for a command that was stopped with its run; of one that was killed it says what is unknown', async () => {
    const stop = new AbortController()
    const running = call('run', { command: 'echo begun > src/begun; exec sleep 60' }, stop.signal)
    await expect.poll(() => existsSync(join(root, 'src/begun'))).toBe(true)
    stop.abort()
    await expect(running).rejects.toThrow('aborted')
    expect((await call('run', { command: 'kill -9 $$' })).text).toContain('outcome is unknown')
    expect((await call('run', { command: 'exec sleep 60', timeLimitSeconds: 1 })).text).toContain('outcome is unknown')
  })

  test('has no keys, and nothing that leads git or Node elsewhere', () => {
    const env = { PATH: '/bin', ANTHROPIC_API_KEY: 'k', GIT_DIR: '/x', NODE_OPTIONS: '--x', HOME: '/h' }
    expect(Object.keys(commandEnv(env)).sort()).toEqual([
      'GIT_CONFIG_GLOBAL',
      'GIT_CONFIG_NOSYSTEM',
      'HOME',
      'LC_ALL',
      'NO_COLOR',
      'PATH',
    ])
  })
})

describe('the referee', () => {
  test('has a start without an end for what was stopped, and the call’s key for both', async () => {
    const log = join(root, '../effects.jsonl')
    const shell = refereed(tools.get('run') as AgentTool, log, systemClock)
    const stop = new AbortController()
    await shell.run({ command: 'true' }, { toolUseId: 't', idempotencyKey: 's:1.1', signal: stop.signal })
    const stopped = shell.run(
      { command: 'exec sleep 60' },
      { toolUseId: 'u', idempotencyKey: 's:2.1', signal: stop.signal },
    )
    stop.abort()
    await expect(stopped).rejects.toThrow('aborted')
    expect(readEffects(log).map(({ phase, key, command }) => [phase, key, command])).toEqual([
      ['start', 's:1.1', 'true'],
      ['end', 's:1.1', 'true'],
      ['start', 's:2.1', 'exec sleep 60'],
    ])
  })
})
