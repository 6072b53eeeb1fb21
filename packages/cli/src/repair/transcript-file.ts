/**
 * A transcript in a file: reads it, recognises its form, mends it, and replaces it.
 *
 * 1. Only a file of a known form is touched. Its old content is first kept beside it, under an unused name.
 * 2. It is whole at every moment: the new one is written beside it, flushed, and renamed. Permissions and owner stay.
 * 3. Nothing that was written meanwhile is lost: in that case the file is not replaced.
 */
import { readFile, realpath, rm, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { LastgoodError } from '@lastgood/core'
import type { CliContext } from '../context.ts'
import { iso } from '../durations.ts'
import { writeNewFile } from '../new-file.ts'
import { mendClaudeCodeFile, type MendedFile } from './claude-code-file.ts'
import { mendMessagesFile } from './messages-file.ts'

export interface TranscriptFile {
  /** Its path, with links resolved. */
  readonly path: string
  readonly access: { readonly mode: number; readonly owner: { uid: number; gid: number } }
  readonly bytes: Buffer
  readonly form: 'messages' | 'request' | 'claude-code'
  readonly mended: MendedFile
}

export const formNames = {
  messages: 'messages of the Messages API',
  request: 'a request to the Messages API',
  'claude-code': 'a session file of Claude Code',
} as const

/** Errors: `bad-option` for a file that cannot be read, or is of no known form. */
export async function readTranscriptFile({ cwd, clock }: CliContext, name: string): Promise<TranscriptFile> {
  const { path, access, bytes } = await fileAt(resolve(cwd, name)).catch((cause: unknown) => {
    throw new LastgoodError('bad-option', `${name} cannot be read`, {
      hint: 'name a file, or a session: lastgood list',
      cause,
    })
  })
  const plain = mendMessagesFile(bytes)
  if (plain) return { path, access, bytes, form: plain.form, mended: plain }
  const mended = mendClaudeCodeFile(bytes, () => clock.newId())
  if (mended) return { path, access, bytes, form: 'claude-code', mended }
  throw new LastgoodError('bad-option', `${name} is no transcript that can be repaired, and was left as it is`, {
    hint: 'name a JSON array of messages, a request body with messages, or a session of Claude Code (~/.claude/projects/<folder>/<session>.jsonl)',
  })
}

async function fileAt(name: string): Promise<Pick<TranscriptFile, 'path' | 'access' | 'bytes'>> {
  const path = await realpath(name)
  const { mode, uid, gid } = await stat(path)
  return { path, access: { mode: mode & 0o7777, owner: { uid, gid } }, bytes: await readFile(path) }
}

/** Replaces the file's content with `bytes`; returns the path of the copy of its old content. */
export async function replaceTranscript(
  { clock }: CliContext,
  { path, access, bytes: old }: TranscriptFile,
  bytes: Buffer,
): Promise<string> {
  const time = iso(clock.now()).replaceAll(/[-:]|\.\d+/g, '')
  const backup = await keep(`${path}.backup-${time}`, old, access, clock.newId())
  const now = await readFile(path)
  if (!now.equals(old)) {
    await rm(backup)
    throw new LastgoodError('session-busy', `${path} was written while it was repaired, and was left as it is`, {
      hint: 'end the program that writes it, then run the same again',
    })
  }
  await writeNewFile(path, [bytes], { force: true, id: clock.newId(), ...access })
  return backup
}

/** Never overwrites another file. */
async function keep(wanted: string, bytes: Buffer, access: TranscriptFile['access'], id: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const path = number === 1 ? wanted : `${wanted}-${number}`
    try {
      await writeNewFile(path, [bytes], { force: false, id, ...access })
      return path
    } catch (error) {
      if (!(await isThere(path))) throw error
    }
  }
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )
