/**
 * Real clients of the Messages API, as their users install and start them: in a home of their own, with a fake key, and
 * only the API to talk to.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './places.ts'

export interface Client {
  readonly name: string
  readonly version: string
  /** What npm installs. */
  readonly packages: readonly string[]
  /** The name of its tool for shell commands. */
  readonly shellTool: string
  /** The command line that gives it the job; `bin` has the programs of its packages. */
  start(world: World): Start
}

export interface World {
  readonly home: string
  readonly bin: string
  /** The base URL of the Messages API, without `/v1`. */
  readonly url: string
}

export interface Start {
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

const key = 'sk-ant-test-000'
const task = 'Do the three steps.'
const quiet = {
  DISABLE_TELEMETRY: '1',
  DISABLE_AUTOUPDATER: '1',
  DISABLE_ERROR_REPORTING: '1',
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
}

const claudeCode: Client = {
  name: 'claude-code',
  version: '2.1.332',
  packages: ['@anthropic-ai/claude-code@2.1.332'],
  shellTool: 'Bash',
  start: ({ bin, url }) => ({
    file: join(bin, 'claude'),
    args: ['-p', task, '--allowedTools', 'Bash'],
    env: { ...quiet, ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: key },
  }),
}

const agentSdk: Client = {
  name: 'agent-sdk',
  version: '0.3.332',
  packages: ['@anthropic-ai/claude-agent-sdk@0.3.332'],
  shellTool: 'Bash',
  start: ({ bin, url }) => ({
    file: process.execPath,
    args: [
      join(root, 'test/clients/agent-sdk-process.mjs'),
      join(bin, '../@anthropic-ai/claude-agent-sdk/sdk.mjs'),
      task,
    ],
    env: { ...quiet, ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: key },
  }),
}

const opencode: Client = {
  name: 'opencode',
  version: '1.18.33',
  packages: ['opencode-ai@1.18.33'],
  shellTool: 'bash',
  start({ home, bin, url }) {
    const config = {
      $schema: 'https://opencode.ai/config.json',
      provider: { anthropic: { options: { baseURL: `${url}/v1`, apiKey: key } } },
      permission: { bash: 'allow' },
      autoupdate: false,
      share: 'disabled',
    }
    const folder = join(home, '.config/opencode')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'opencode.json'), JSON.stringify(config))
    return {
      file: join(bin, 'opencode'),
      args: ['run', '-m', 'anthropic/claude-sonnet-4-5', task],
      env: {
        OPENCODE_DISABLE_AUTOUPDATE: '1',
        OPENCODE_DISABLE_MODELS_FETCH: '1',
        OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
        ANTHROPIC_API_KEY: key,
      },
    }
  },
}

/** For clients that need a newer Node than the project's oldest. */
const newerNode = `node-${process.platform}-${process.arch}`

const pi: Client = {
  name: 'pi',
  version: '1.6.0',
  packages: ['@earendil-works/pi-coding-agent@1.6.0', `${newerNode}@24`],
  shellTool: 'bash',
  start({ home, bin, url }) {
    const folder = join(home, '.pi/agent')
    mkdirSync(folder, { recursive: true })
    // It names its session.
    const compat = { sendSessionAffinityHeaders: true, sessionAffinityFormat: 'openrouter' }
    writeFileSync(join(folder, 'models.json'), JSON.stringify({ providers: { anthropic: { baseUrl: url, compat } } }))
    return {
      file: join(bin, `../${newerNode}/bin/node`),
      args: [
        join(bin, 'pi'),
        '-p',
        '--offline',
        '--provider',
        'anthropic',
        '--model',
        'claude-sonnet-4-5',
        '--no-extensions',
        task,
      ],
      env: { PI_OFFLINE: '1', ANTHROPIC_API_KEY: key },
    }
  },
}

const qwenCode: Client = {
  name: 'qwen-code',
  version: '0.24.4',
  packages: ['@qwen-code/qwen-code@0.24.4', `${newerNode}@24`],
  shellTool: 'run_shell_command',
  start: ({ bin, url }) => ({
    file: join(bin, `../${newerNode}/bin/node`),
    args: [join(bin, 'qwen'), '--auth-type', 'anthropic', '-m', 'claude-sonnet-4-5', '-y', task],
    env: { ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: key, ANTHROPIC_MODEL: 'claude-sonnet-4-5' },
  }),
}

export const clients: readonly Client[] = [claudeCode, agentSdk, opencode, pi, qwenCode]
