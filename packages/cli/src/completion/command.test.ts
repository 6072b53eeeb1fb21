import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ManualClock } from '@lastgood/core/testing'
import { describe, expect, it } from 'vitest'
import type { CliContext } from '../context.ts'
import { answered, ended, newFolder, project, run, seed, sent, started } from '../../test/context.ts'
import { shells } from './scripts.ts'

/** Runs `lastgood complete` while no time passes: on a slow machine its patience would end. */
const complete = (args: readonly string[], changes: Partial<CliContext>) =>
  run(['complete', ...args], { clock: new ManualClock({ startAt: Date.now() }), ...changes })

/** The candidates at the end of a line; a line that ends in a space has an empty word there. */
async function at(line: string, cwd = newFolder()): Promise<string[]> {
  const ran = await complete(['--', ...line.split(' ')], { cwd })
  expect(ran).toMatchObject({ code: 0, stderr: '' })
  return ran.stdout.split('\n').flatMap((one) => (one === '' ? [] : [one.split('\t')[0] as string]))
}

async function twoSessions(): Promise<string> {
  const { cwd, store } = project('coder: {}')
  await seed(store, 'done', [started(1), sent(), answered('Yes.'), ended(1)])
  await seed(store, 'open', [started(1), sent()])
  return cwd
}

describe('what completes a line', () => {
  it.each<[string, string[]]>([
    ['re', ['resume', 'rewind', 'repair']],
    ['--v', ['--version']],
    ['help re', ['resume', 'rewind', 'repair']],
    ['show --c', ['--config', '--color']],
    ['show x --color ', ['auto', 'always', 'never']],
    ['show x --color=al', ['--color=always']],
    // As bash parts them.
    ['show x --color = al', ['always']],
    ['show x --color =', ['auto', 'always', 'never']],
    ['resume x --in-doubt re', ['rerun', 'report']],
    ['show x --color never --col', []],
    ['gateway --fallback a b --fall', ['--fallback']],
    ['completion ', [...shells]],
    ['list --since ', []],
    ['import ', []],
    ['run -- git --', []],
    ['nobody ', []],
  ])('%j: %j', async (line, candidates) => {
    expect(await at(line)).toEqual(candidates)
  })

  it('are all commands, with what they do, and none that is hidden', async () => {
    const { stdout } = await complete(['--', ''], {})
    const help = (await run(['--help'])).stdout
    const names = stdout
      .trim()
      .split('\n')
      .map((line) => line.split('\t')[0] as string)
    for (const name of names) expect(help).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'))
    expect(names).toEqual(expect.arrayContaining(['resume', 'repair', 'config', 'completion', 'demo']))
    expect(names).not.toContain('complete')
    expect(stdout).toMatch(/^resume\tcontinue a session/)
  })

  it('are the ids of sessions, where one belongs: in the store of the configuration, or the one that the line names', async () => {
    const cwd = await twoSessions()
    for (const line of ['resume ', 'show ', 'show --raw ', 'repair ']) {
      expect(await at(line, cwd)).toEqual(['last', 'open', 'done'])
    }
    expect(await at('show o', cwd)).toEqual(['open'])
    expect(await at('prune --damaged ', cwd)).toEqual(['open', 'done'])
    expect(await at('resume open ', cwd)).toEqual([])
    expect(await at('show --store elsewhere ', cwd)).toEqual([])
    // As bash parts it.
    expect(await at('show --store file : state o', cwd)).toEqual(['open'])
    expect(await at('show --store = file : state ', cwd)).toEqual(['last', 'open', 'done'])
    expect(await at('show --store=elsewhere ', cwd)).toEqual([])
    expect((await complete(['--', 'show', 'd'], { cwd })).stdout).toBe('done\tidle, turn 1\n')
    // For a shell that cannot hand over an empty word.
    expect((await complete(['--new-word', '--', 'show'], { cwd })).stdout).toContain('open\t')
  })

  it('finds an id among more than it offers', async () => {
    const { cwd, store } = project('coder: {}')
    const names = Array.from({ length: 201 }, (_, at) => `many-${at}`)
    await Promise.all(['rare', ...names].map((id) => seed(store, id, [started(1), sent()])))
    for (const name of ['rare', ...names.slice(0, 3)]) expect(await at(`show ${name}`, cwd)).toContain(name)
  })

  it('is nothing where the store does not answer in time or the configuration is broken, and nothing is said', async () => {
    const late = { cwd: await twoSessions(), clock: new ManualClock({ autoAdvance: true }) }
    expect(await complete(['--', 'show', ''], late)).toEqual({ code: 0, stdout: '', stderr: '' })
    const cwd = newFolder()
    const env = { REDIS_URL: 'redis://127.0.0.1:1' }
    expect(await complete(['--', 'show', ''], { cwd, env })).toEqual({ code: 0, stdout: '', stderr: '' })
    writeFileSync(join(cwd, 'lastgood.config.mjs'), 'throw new Error()')
    expect(await at('show ', cwd)).toEqual([])
  })

  it('of a shell that nobody knows is wrong usage', async () => {
    expect(await run(['completion', 'csh'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Allowed choices'),
    })
  })
})

/** Preloaded in a process, lets no time pass in it. */
const noTime = 'data:text/javascript,const now=Date.now();Date.now=()=>now;performance.now=()=>0'

/** A place with the built commands on its path. */
async function place() {
  const cwd = await twoSessions()
  const bin = join(cwd, 'bin')
  mkdirSync(bin)
  for (const name of ['lastgood', 'resume']) {
    const built = fileURLToPath(new URL(`../../dist/bin/${name}.js`, import.meta.url))
    writeFileSync(join(bin, name), `#!/bin/sh\nexec '${process.execPath}' --import '${noTime}' '${built}' "$@"\n`)
    chmodSync(join(bin, name), 0o755)
  }
  for (const shell of shells) {
    const { stdout } = await run(['completion', shell])
    writeFileSync(join(cwd, `script.${shell}`), stdout)
  }
  const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: cwd }
  return (shell: string, args: readonly string[]): string[] =>
    execFileSync(shell, args, { cwd, env, encoding: 'utf8' }).trim().split('\n')
}

const isInstalled = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0

describe('the script, in the shell itself, with the built command', () => {
  it('bash', async () => {
    const shell = await place()
    const ask = (...words: string[]) =>
      shell('bash', [
        '--norc',
        '-c',
        `set -eu; source script.bash; COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
         $(complete -p "$1" | sed 's/.*-F \\([^ ]*\\) .*/\\1/'); printf '%s\\n' "\${COMPREPLY[@]:-}"`,
        'bash',
        ...words,
      ])
    expect(ask('lastgood', 're')).toEqual(['resume', 'rewind', 'repair'])
    expect(ask('lastgood', 'show', '')).toEqual(['last', 'open', 'done'])
    expect(ask('resume', '--in-doubt', 're')).toEqual(['rerun', 'report'])
    expect(ask('resume', 'o')).toEqual(['open'])
    // Where a store is named, as bash parts it.
    expect(ask('lastgood', 'show', '--store', 'file', ':', './state', 'o')).toEqual(['open'])
    expect(ask('lastgood', 'show', '--store', "'./state'", 'o')).toEqual(['open'])
    expect(ask('lastgood', 'show', '--store', './st\\ate', 'o')).toEqual(['open'])
    // Nothing of the line is evaluated.
    expect(ask('lastgood', 'show', '$(touch evaluated)', '')).toEqual([''])
    expect(shell('bash', ['-c', 'ls'])).not.toContain('evaluated')
  })

  it.skipIf(!isInstalled('zsh'))('zsh', async () => {
    const shell = await place()
    const ask = (...words: string[]) =>
      shell('zsh', [
        '-fc',
        `compdef() {}; _describe() { print -l -- "\${(@P)3}" }; _files() { print FILES }
         source script.zsh; words=("$@"); CURRENT=$#; _lastgood_complete`,
        'zsh',
        ...words,
      ])
    expect(ask('lastgood', 'rew')).toEqual([
      'rewind:go back to the end of an earlier turn; the journal keeps what came after it',
    ])
    expect(ask('resume', 'o')).toEqual(['open:interrupted, turn 1'])
    for (const store of ["'file:./state'", '"./state"', './st\\ate'])
      expect(ask('lastgood', 'show', '--store', store, 'o')).toEqual(['open:interrupted, turn 1'])
    expect(ask('lastgood', 'import', '')).toEqual(['FILES'])
  })

  it.skipIf(!isInstalled('fish'))('fish', async () => {
    const shell = await place()
    const ask = (line: string) => shell('fish', ['--no-config', '-c', 'source script.fish; complete -C "$argv"', line])
    expect(ask('lastgood rew')).toEqual([
      'rewind\tgo back to the end of an earlier turn; the journal keeps what came after it',
    ])
    expect(ask('resume o')).toEqual(['open\tinterrupted, turn 1'])
  })

  it.skipIf(!isInstalled('pwsh'))('PowerShell', async () => {
    const shell = await place()
    const ask = (line: string) =>
      shell('pwsh', [
        '-NoProfile',
        '-Command',
        `. ./script.powershell; (TabExpansion2 '${line}' ${line.length}).CompletionMatches.CompletionText`,
      ])
    expect(ask('lastgood rew')).toEqual(['rewind'])
    expect(ask('resume o')).toEqual(['open'])
  })
})
