/** Real processes: the built commands, and a program that a user would write, against a lab. */
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Lab, type LabOptions, startLab } from '@lastgood/outage-lab'
import { onTestFinished } from 'vitest'
import { type RunningProcess, startNode } from '../../../test/support/running-process.ts'
import { newFolder } from './context.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/**
 * An agent with a tool `run`, which writes every command to `ran.log`, and for `hang` never ends. Its configuration
 * keeps the process alive, as an open connection would.
 */
const config = `
import Anthropic from '@anthropic-ai/sdk'
import { defineAgent, tool } from '@lastgood/anthropic'
import { defineConfig } from 'lastgood'
import { appendFileSync } from 'node:fs'
import { z } from 'zod'
setInterval(() => {}, 1000)
const run = tool({
  name: 'run',
  description: 'Runs a command',
  input: z.object({ command: z.string() }),
  async run({ command }) {
    appendFileSync('ran.log', command + '\\n')
    if (command !== 'hang') return 'ok: ' + command
    process.stderr.write('HANGING\\n')
    await new Promise(() => {})
  },
})
const waits = Number(process.env.WAIT_MS ?? 20)
const wait = { baseMs: waits, capMs: waits, longCapMs: waits }
export const coder = () => defineAgent({
  name: 'coder',
  client: new Anthropic({ baseURL: process.env.LAB_URL, apiKey: 'any' }),
  model: 'claude-opus-5-5',
  tools: [run],
})
export default defineConfig({ agents: { coder }, policy: { rules: { overloaded: wait } } })
`

const program = `
import { openSession } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { coder } from './lastgood.config.mjs'
const store = fileStore({ dir: 'state' })
const session = await openSession('fix-auth', { store, cwd: process.cwd() })
await session.run(coder(), 'Make the tests green')
await session.close()
process.exit(0)
`

export interface Place {
  readonly cwd: string
  readonly lab: Lab
  /** `lastgood …`, `resume …`, or the user's program. */
  start(
    command: 'lastgood' | 'resume' | 'program',
    argv?: readonly string[],
    env?: Record<string, string>,
  ): RunningProcess
}

export async function place(lab: LabOptions, environment: Record<string, string> = {}): Promise<Place> {
  const running = await startLab(lab)
  onTestFinished(() => running.close())
  const cwd = newFolder()
  symlinkSync(join(root, 'node_modules'), join(cwd, 'node_modules'))
  writeFileSync(join(cwd, 'lastgood.config.mjs'), config)
  writeFileSync(join(cwd, 'program.mjs'), program)
  const common = {
    PATH: process.env['PATH'] ?? '',
    HOME: cwd,
    LAB_URL: running.url,
    LASTGOOD_STORE: './state',
    LASTGOOD_STATUS_URL: 'off',
    ...environment,
  }
  return {
    cwd,
    lab: running,
    start(command, argv = [], env = {}) {
      const file =
        command === 'program' ? join(cwd, 'program.mjs') : join(root, 'packages/cli/dist/bin', `${command}.js`)
      return startNode([file, ...argv], { cwd, env: { ...common, ...env } })
    },
  }
}
