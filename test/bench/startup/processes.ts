/** Times processes from start to end, as a person at a prompt waits for them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export const lastgood = fileURLToPath(new URL('bin/lastgood.js', import.meta.resolve('lastgood')))

export interface Timed {
  readonly ms: number
  readonly lines: number
}

/** Runs Node with `argv` once and reads its output. Throws if it fails. */
export async function timeProcess(argv: readonly string[], cwd: string): Promise<Timed> {
  const startedAt = performance.now()
  const env = { PATH: process.env['PATH'], HOME: cwd, LASTGOOD_STATUS_URL: 'off' }
  const child = spawn(process.execPath, argv, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let lines = 0
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (lines += chunk.filter((byte) => byte === 10).length))
  child.stderr.on('data', (chunk: Buffer) => (said += String(chunk)))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}: ${said}`)
  return { ms: performance.now() - startedAt, lines }
}
