/**
 * Sessions of the real Claude Code that the API refuses for good, and the same ones after `lastgood repair`. The client
 * comes from the npm registry; if it cannot be installed, that is reported.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { reply, startLab, text, thinking, toolUse, type Block, type Conversation } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { clients } from './clients/clients.ts'
import { newFolder } from './support/folder.ts'
import { installed } from './support/installed-client.ts'
import { startProcess } from './support/running-process.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const client = clients.find(({ name }) => name === 'claude-code')!
const lastgood = join(root, 'packages/cli/dist/bin/lastgood.js')

type Line = Record<string, unknown> & { message: { content: string | (Block & Record<string, unknown>)[] } }

const isSpoken = ({ type }: Record<string, unknown>) => type === 'user' || type === 'assistant'

/** The first block of its kind in the conversation. */
function block(lines: Line[], type: string): Record<string, unknown> {
  const blocks = lines.filter(isSpoken).flatMap(({ message: { content } }) => (Array.isArray(content) ? content : []))
  return blocks.find((one) => one.type === type)!
}

/** Whether the client gets out of it by itself was measured: `alone`. */
const poisons: {
  what: string
  alone: 'is stuck' | 'asks twice' | 'goes on'
  poison: (lines: Line[]) => Line[] | void
}[] = [
  {
    what: 'an empty message of a person',
    alone: 'is stuck',
    poison: (lines) =>
      void (lines.findLast(
        ({ type, message }) => type === 'user' && typeof message.content === 'string',
      )!.message.content = ''),
  },
  {
    what: 'an id of another provider',
    alone: 'is stuck',
    poison(lines) {
      block(lines, 'tool_use')['id'] = 'call:1'
      block(lines, 'tool_result')['tool_use_id'] = 'call:1'
    },
  },
  {
    what: 'an input that is no object',
    alone: 'is stuck',
    poison: (lines) => void (block(lines, 'tool_use')['input'] = 'ls'),
  },
  {
    what: 'a field that the API does not know',
    alone: 'is stuck',
    poison: (lines) => void (block(lines, 'text')['parsed'] = {}),
  },
  {
    what: 'a call without a result',
    alone: 'asks twice',
    poison: (lines) =>
      lines.filter((line) => !isSpoken(line) || !JSON.stringify(line.message).includes('"tool_result"')),
  },
  {
    what: 'thinking without its signature',
    alone: 'asks twice',
    poison: (lines) => void delete block(lines, 'thinking')['signature'],
  },
  {
    what: 'an empty text of an answer',
    alone: 'asks twice',
    poison: (lines) => void (block(lines, 'text')['text'] = ''),
  },
  {
    what: 'an end inside a call',
    alone: 'goes on',
    poison: (lines) =>
      lines.slice(
        0,
        lines.findIndex((line) => isSpoken(line) && JSON.stringify(line.message).includes('"tool_use"')) + 1,
      ),
  },
]

function model({ tools, messages }: Conversation) {
  if (tools.length === 0) return reply(text('A title'))
  const last = JSON.stringify(messages.findLast(({ role }) => role === 'user'))
  if (last.includes('Hello')) return reply(text('Hello back.'))
  if (last.includes('tool_result')) return reply([thinking('Enough.'), text('All done.')])
  return reply([
    thinking('One step.'),
    text('Step one.'),
    toolUse('Bash', { command: 'echo one', description: 'Says it' }),
  ])
}

interface Place {
  folder: string
  home: string
  cwd: string
  /** Where the client is. */
  bin: string
}

async function start({ home, cwd, bin }: Place, args: readonly string[]) {
  const lab = await startLab({ model })
  try {
    const { file, env } = client.start({ home, bin, url: lab.url })
    const running = startProcess(file, args, {
      cwd,
      env: { PATH: process.env['PATH'] ?? '', TERM: 'dumb', ...env, HOME: home },
    })
    return { exitCode: (await running.ended).code, violations: lab.requests.map(({ violation }) => violation?.message) }
  } finally {
    await lab.close()
  }
}

const session = (place: Place): string => {
  const projects = join(place.home, '.claude/projects')
  const folder = join(projects, readdirSync(projects)[0]!)
  return join(
    folder,
    readdirSync(folder).find((name) => name.endsWith('.jsonl'))!,
  )
}

/** A session of one turn with a tool, and of one without. */
async function recorded(bin: string): Promise<Place> {
  const folder = newFolder()
  const place = { folder, home: join(folder, 'home'), cwd: join(folder, 'work'), bin }
  for (const path of [place.home, place.cwd]) mkdirSync(path)
  const asked = await start(place, ['-p', 'Do the step.', '--allowedTools', 'Bash'])
  expect(asked).toMatchObject({ exitCode: 0 })
  const id = basename(session(place), '.jsonl')
  expect(await start(place, ['-p', 'Hello once', '--resume', id])).toMatchObject({ exitCode: 0 })
  return place
}

function copyOf(place: Place, name: string): Place {
  const home = join(place.folder, name)
  cpSync(place.home, home, { recursive: true })
  return { ...place, home }
}

describe('a session of Claude Code', () => {
  test('that is poisoned goes on at the first request, once it is repaired', { timeout: 600_000 }, async (context) => {
    const place = await recorded(await installed(client, context))
    for (const [at, { what, alone, poison }] of poisons.entries()) {
      const poisoned = copyOf(place, `poisoned-${at}`)
      const file = session(poisoned)
      const lines = readFileSync(file, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Line)
      writeFileSync(file, `${(poison(lines) ?? lines).map((line) => JSON.stringify(line)).join('\n')}\n`)
      const repaired = copyOf(poisoned, `repaired-${at}`)
      execFileSync(process.execPath, [lastgood, 'repair', session(repaired), '--apply', '--yes'], { stdio: 'ignore' })
      const goOn = ['-p', 'Hello again', '--resume', basename(file, '.jsonl')]
      const before = await start(poisoned, goOn)
      const did = before.exitCode !== 0 ? 'is stuck' : before.violations.some(Boolean) ? 'asks twice' : 'goes on'
      const { exitCode, violations } = await start(repaired, goOn)
      expect({ what, alone: did, exitCode, violations }).toEqual({ what, alone, exitCode: 0, violations: [undefined] })
    }
  })
})
