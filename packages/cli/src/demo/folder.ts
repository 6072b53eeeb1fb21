/**
 * The demo's folder: it holds everything that the demo makes, and is kept, so that the session can be inspected and
 * resumed afterwards.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { LastgoodError } from '@lastgood/core'
import type { Env } from '../context.ts'
import { migrationPartMs, type Pace } from './outages.ts'
import { pictureData, picturePath, projectFiles } from './project.ts'
import { commandEnv } from './tools/run-tool.ts'

export interface DemoFolder {
  readonly path: string
  /** The git repository that the agent works in. */
  readonly repository: string
  /** The referee's file. */
  readonly effects: string
  /** Where the file store keeps the journal. */
  readonly store: string
  readonly config: string
}

export function demoFolderAt(path: string): DemoFolder {
  return {
    path,
    repository: join(path, 'repository'),
    effects: join(path, 'effects.jsonl'),
    store: join(path, 'store'),
    config: join(path, 'lastgood.config.mjs'),
  }
}

/** A folder with a fresh repository: `wanted`, which must be empty or new, or a new temporary one. */
export function createDemoFolder(env: Env, pace: Pace, wanted?: string): DemoFolder {
  const folder = demoFolderAt(
    wanted === undefined ? mkdtempSync(join(tmpdir(), 'lastgood-demo-')) : emptyFolder(wanted),
  )
  const picture = Buffer.from(pictureData, 'base64')
  for (const [name, content] of Object.entries({ ...projectFiles(migrationPartMs(pace)), [picturePath]: picture })) {
    const file = join(folder.repository, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
  writeFileSync(folder.effects, '')
  git(folder, env, 'init', '--quiet', '--initial-branch=main')
  for (const [name, value] of Object.entries(gitSettings)) git(folder, env, 'config', name, value)
  git(folder, env, 'add', '--all')
  git(folder, env, 'commit', '--quiet', '--message', 'feat: the project')
  return folder
}

const gitSettings = {
  'user.name': 'lastgood demo',
  'user.email': 'demo@example.com',
  'commit.gpgsign': 'false',
  'core.autocrlf': 'false',
}

/** The output of a git command in the repository. */
export function git(folder: DemoFolder, env: Env, ...args: string[]): string {
  try {
    return runGit(folder, env, args)
  } catch (error) {
    // The terminal's Ctrl+C reaches git, too; the demo handles it once the folder is complete.
    if ((error as { signal?: unknown }).signal !== 'SIGINT') throw error
    return runGit(folder, env, args)
  }
}

function runGit(folder: DemoFolder, env: Env, args: readonly string[]): string {
  try {
    return execFileSync('git', args, {
      cwd: folder.repository,
      env: commandEnv(env),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new LastgoodError('bad-option', 'the demo needs git, and there is none on the path', {
      hint: 'install git (https://git-scm.com), then run the demo again',
      cause: error,
    })
  }
}

function emptyFolder(path: string): string {
  const folder = resolve(path)
  mkdirSync(folder, { recursive: true })
  if (readdirSync(folder).length === 0) return folder
  throw new LastgoodError('bad-option', `${folder} is not empty`, {
    hint: 'choose an empty folder, or one that does not exist yet',
  })
}
