/**
 * A job of three steps, each a shell command that adds a line to a file: what a client has done is what stands there.
 * The API is the lab; between it and the client there is a gateway, or nothing.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reply, startLab, text, thinking, toolUse, type Conversation, type Fault } from '@lastgood/outage-lab'
import type { Client } from './clients.ts'

export interface JobOptions {
  client: Client
  bin: string
  /** Hits the second request of the conversation. */
  fault?: Fault | undefined
  /** The program `lastgood` of the gateway in between; none: the client talks to the API. */
  lastgood?: string | undefined
  /** After so long the client is given up. */
  patienceMs: number
}

export interface JobDone {
  /** Of the client; null when it was given up. */
  exitCode: number | null
  /** The lines of the file. */
  steps: readonly string[]
  /** The fault happened. */
  isHit: boolean
  /** Requests with tools that reached the API. */
  requests: number
  ms: number
  /** The last words of the client and of the gateway, for whoever wants to know why. */
  said: string
}

export const isDone = ({ exitCode, steps }: JobDone): boolean => exitCode === 0 && steps.join() === 'step1,step2,step3'

function modelOf(shellTool: string) {
  return ({ tools, messages }: Conversation) => {
    if (tools.length === 0) return reply(text('A title'))
    const done = messages.filter(({ role }) => role === 'assistant').length
    if (done >= 3) return reply(text('All done.'))
    const command = `echo step${done + 1} >> steps.log`
    return reply([
      thinking('One step after the other.'),
      text(`Step ${done + 1} of three.`),
      toolUse(shellTool, { command, description: 'Adds a line' }),
    ])
  }
}

export async function runJob({ client, bin, fault, lastgood, patienceMs }: JobOptions): Promise<JobDone> {
  const folder = mkdtempSync(join(tmpdir(), 'lastgood-client-'))
  const [home, cwd] = [join(folder, 'home'), join(folder, 'work')]
  for (const made of [home, cwd]) mkdirSync(made)
  const when = { requests: [1, Infinity] as [number, number], contains: 'step1 >> steps.log', once: true as const }
  const lab = await startLab({ model: modelOf(client.shellTool), outages: fault ? [{ when, fault }] : [] })
  const began = Date.now()
  let gateway: Gateway | undefined
  try {
    gateway = lastgood === undefined ? undefined : await startGateway(lastgood, lab.url, folder)
    const start = client.start({ home, bin, url: gateway?.url ?? lab.url })
    const env = { PATH: process.env['PATH'] ?? '', TERM: 'dumb', ...start.env, HOME: home }
    const child = spawn(start.file, start.args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    const heard = listen(child)
    const exitCode = await ended(child, patienceMs)
    const requests = lab.requests.filter(({ body }) => (body?.tools?.length ?? 0) > 0).length
    return {
      exitCode,
      steps: linesOf(join(cwd, 'steps.log')),
      isHit: lab.requests.some(({ outcome }) => outcome.kind === 'fault'),
      requests,
      ms: Date.now() - began,
      said: `${heard().slice(-600)}\n${gateway?.heard().slice(-1200) ?? ''}`,
    }
  } finally {
    await gateway?.stop()
    await lab.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Gateway {
  readonly url: string
  heard(): string
  stop(): Promise<void>
}

async function startGateway(lastgood: string, upstream: string, folder: string): Promise<Gateway> {
  const store = `file:${join(folder, 'state')}`
  const args = [lastgood, 'gateway', '--port', '0', '--upstream', upstream, '--store', store, '--stall', '2s']
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const heard = listen(child)
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', () => {
      const found = /^(http:\S+)\n/m.exec(heard())?.[1]
      if (found) resolve(found)
    })
    child.once('close', () => reject(new Error(`the gateway did not start: ${heard()}`)))
  })
  return {
    url,
    heard,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const closed = once(child, 'close')
      child.kill('SIGTERM')
      await closed
    },
  }
}

function listen(child: ChildProcess): () => string {
  let heard = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (piece: Buffer) => (heard += piece.toString()))
  return () => heard
}

/** Its exit code; null when it was given up, with all that it started. */
async function ended(child: ChildProcess, patienceMs: number): Promise<number | null> {
  let isGivenUp = false
  const end = (): void => {
    isGivenUp = true
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  }
  const timer = setTimeout(end, patienceMs)
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    return isGivenUp ? null : code
  } finally {
    clearTimeout(timer)
  }
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').trim().split('\n')
  } catch {
    return []
  }
}
