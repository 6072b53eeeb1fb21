/**
 * The agent's shell.
 *
 * 1. A command that any signal stopped half-way has an unknown outcome, and its result says so; it never looks like one
 *    that failed by itself.
 * 2. It gets little of the environment: no key, and nothing that would make git or Node act on something else.
 */
import { spawn } from 'node:child_process'
import { devNull } from 'node:os'
import { tool, type AgentTool } from '@lastgood/anthropic'
import { z } from 'zod'
import type { Env } from '../../context.ts'

export interface RunToolOptions {
  root: string
  env: Env
  description: string
  /** Whether the model may set a time limit: a field that a redeploy adds to the schema. */
  hasTimeLimit: boolean
}

const longestOutput = 20_000
/** A command that runs longer than this was probably forgotten. */
const defaultLimitSeconds = 120

export function runTool({ root, env, description, hasTimeLimit }: RunToolOptions): AgentTool {
  const limit = z.number().int().min(1).max(600).optional().describe('Seconds after which the command is stopped')
  return tool({
    name: 'run',
    description,
    input: z.strictObject({
      command: z.string().min(1).describe('Run by the shell, in the root of the repository'),
      ...(hasTimeLimit && { timeLimitSeconds: limit }),
    }),
    run: (input, { signal }) => {
      const seconds =
        'timeLimitSeconds' in input ? Number(input.timeLimitSeconds ?? defaultLimitSeconds) : defaultLimitSeconds
      return runCommand(input.command, {
        root,
        env,
        signal: AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000)]),
      })
    },
  })
}

interface Surroundings {
  root: string
  env: Env
  signal: AbortSignal
}

function runCommand(command: string, { root, env, signal }: Surroundings): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, {
      shell: true,
      cwd: root,
      env: commandEnv(env),
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
      killSignal: 'SIGTERM',
    })
    let output = ''
    const keep = (text: string) => void (output = (output + text).slice(-longestOutput))
    child.stdout.setEncoding('utf8').on('data', keep)
    child.stderr.setEncoding('utf8').on('data', keep)
    child.on('error', (error) => {
      if (!signal.aborted) reject(error)
    })
    child.on('close', (code, stopped) => {
      const said = output.trim()
      if (stopped === null && !signal.aborted) {
        return code === 0 ? resolve(said || 'done, no output') : reject(new Error(`exit code ${String(code)}\n${said}`))
      }
      reject(
        new Error(
          `The command was stopped (${stopped ?? 'aborted'}) and its outcome is unknown. Verify what it did.\n${said}`,
        ),
      )
    })
  })
}

const wanted = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'TEMP', 'SYSTEMROOT', 'COMSPEC', 'PATHEXT']

/** The environment of commands in the repository, and of git. */
export function commandEnv(env: Env): Record<string, string> {
  const kept = Object.entries(env).filter((pair): pair is [string, string] => {
    return pair[1] !== undefined && wanted.includes(pair[0].toUpperCase())
  })
  return {
    ...Object.fromEntries(kept),
    NO_COLOR: '1',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: devNull,
    LC_ALL: 'C',
  }
}
