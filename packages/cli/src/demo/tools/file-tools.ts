/**
 * The agent's file tools: read, look, list and grep change nothing and may run again; edit and write say what they
 * changed, so that a change that was lost or made twice shows in their results.
 */
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { tool, type AgentTool } from '@lastgood/anthropic'
import { z } from 'zod'
import { confined } from './confined-path.ts'

/** A tool result is there to be read; a longer one costs more than it tells. */
const longestText = 20_000
const largestFile = 1_000_000

const path = z.string().describe('Relative to the root of the repository')

export function fileTools(root: string): AgentTool[] {
  return [
    tool({
      name: 'read',
      description: 'Read a text file.',
      inDoubt: 'rerun',
      input: z.strictObject({ path }),
      run: (input) => cut(readText(confined(root, input.path), input.path)),
    }),
    tool({
      name: 'look',
      description: 'Look at a picture (PNG).',
      inDoubt: 'rerun',
      input: z.strictObject({ path }),
      run: (input) => [pictureOf(confined(root, input.path), input.path)],
    }),
    tool({
      name: 'list',
      description: 'List the files of a folder and its subfolders, without those of git.',
      inDoubt: 'rerun',
      input: z.strictObject({ path }),
      run: (input) => cut(filesBelow(root, confined(root, input.path)).join('\n') || 'no files'),
    }),
    tool({
      name: 'grep',
      description: 'Find the lines that match a regular expression (JavaScript), in the files of a folder.',
      inDoubt: 'rerun',
      input: z.strictObject({ pattern: z.string().max(200), path }),
      run: (input) => cut(grep(root, confined(root, input.path), new RegExp(input.pattern)).join('\n') || 'no matches'),
    }),
    tool({
      name: 'edit',
      description: 'Replace a text in a file. The old text must occur in it exactly once.',
      input: z.strictObject({ path, old: z.string().min(1), new: z.string() }),
      run: (input) => {
        const file = confined(root, input.path)
        const parts = readText(file, input.path).split(input.old)
        if (parts.length !== 2) {
          throw new Error(
            `the old text occurs ${parts.length - 1} times in ${input.path}, not once; nothing was changed`,
          )
        }
        writeFileSync(file, parts.join(input.new))
        return `edited ${input.path}`
      },
    }),
    tool({
      name: 'write',
      description: 'Write a whole file, a new one or over an old one.',
      input: z.strictObject({ path, content: z.string() }),
      run: (input) => {
        const file = confined(root, input.path)
        const before = existingText(file)
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(file, input.content)
        const what = before === undefined ? 'created' : before === input.content ? 'did not change' : 'changed'
        return `${what} ${input.path}`
      },
    }),
  ]
}

function readText(file: string, shown: string): string {
  return readBytes(file, shown).toString('utf8')
}

function pictureOf(file: string, shown: string): { type: string; source: object } {
  const data = readBytes(file, shown).toString('base64')
  return { type: 'image', source: { type: 'base64', media_type: 'image/png', data } }
}

function readBytes(file: string, shown: string): Buffer {
  const { size } = statSync(file)
  if (size > largestFile) throw new Error(`${shown} has ${size} bytes, more than the ${largestFile} that can be read`)
  return readFileSync(file)
}

function existingText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Paths relative to `root`, sorted; links are not followed. */
function filesBelow(root: string, start: string): string[] {
  if (!statSync(start).isDirectory()) return [relative(root, start)]
  return readdirSync(start, { withFileTypes: true })
    .filter((entry) => entry.name !== '.git' && entry.name !== 'node_modules' && !entry.isSymbolicLink())
    .flatMap((entry) => {
      const below = join(start, entry.name)
      return entry.isDirectory() ? filesBelow(root, below) : [relative(root, below)]
    })
    .map((name) => name.replaceAll('\\', '/'))
    .sort()
}

function grep(root: string, start: string, pattern: RegExp): string[] {
  return filesBelow(root, start).flatMap((name) =>
    readText(join(root, name), name)
      .split('\n')
      .flatMap((line, i) => (pattern.test(line) ? [`${name}:${i + 1}: ${line}`] : [])),
  )
}

function cut(text: string): string {
  return text.length <= longestText
    ? text
    : `${text.slice(0, longestText)}\n… (${text.length - longestText} characters more)`
}
