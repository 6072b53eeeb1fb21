// The built `lastgood dashboard` as a real process, and requests to it as a browser or an attacker would send them: with
// arbitrary headers, which fetch does not allow.

import type { ChildProcess } from 'node:child_process'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { newFolder } from './folder.ts'
import { startNode, type RunningProcess } from './running-process.ts'

const program = fileURLToPath(new URL('../../packages/cli/dist/bin/lastgood.js', import.meta.url))

export interface DashboardProcess {
  readonly child: ChildProcess
  /** A folder of its own: its home, with its store in `state`. */
  readonly home: string
  readonly port: number
  readonly token: string
  /** The prefix of all paths: empty, or `/dashboard`. */
  readonly prefix: string
  readonly origin: string
  /** Everything that it has written. */
  readonly written: RunningProcess['written']
  ask(path: string, asked?: Asked): Promise<Answer>
  /** Signs in, and returns the cookie. */
  signIn(): Promise<string>
  ended: Promise<number | null>
}

export interface Asked {
  method?: string
  headers?: Record<string, string>
  body?: string
}

export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
}

export async function startDashboard(
  argv: readonly string[] = [],
  { home = newFolder(), env = {}, command = 'dashboard' as 'dashboard' | 'gateway' } = {},
): Promise<DashboardProcess> {
  const running = startNode([program, command, '--port', '0', ...argv], {
    cwd: home,
    env: {
      PATH: process.env['PATH'],
      HOME: home,
      LASTGOOD_STATUS_URL: 'off',
      LASTGOOD_STORE: `file:${home}/state`,
      ...env,
    },
  })
  const url = new URL(await running.firstLine())
  const prefix = command === 'gateway' ? '/dashboard' : ''
  const ask = (path: string, asked?: Asked) => askAt(Number(url.port), `${prefix}${path}`, asked)
  const token = url.hash.replace('#token=', '')
  return {
    child: running.child,
    home,
    port: Number(url.port),
    token,
    prefix,
    origin: url.origin,
    written: running.written,
    ask,
    ended: running.ended.then(({ code }) => code),
    async signIn() {
      const { headers } = await ask('/api/login', { method: 'POST', body: JSON.stringify({ token }) })
      return [headers['set-cookie'] ?? ''].flat()[0]?.split(';')[0] ?? ''
    },
  }
}

function askAt(port: number, path: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, path, method, headers, setHost: !('host' in headers) })
    asking.once('error', reject)
    asking.once('response', (response) => {
      text(response).then(
        (said) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: said }),
        reject,
      )
    })
    asking.end(body)
  })
}
