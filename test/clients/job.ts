/**
 * A job of three steps, each a shell command that adds a line to a file: the file shows what a client has done. The API
 * is the lab; between it and the client there is a gateway, or nothing.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reply, startLab, text, thinking, toolUse, type Conversation, type RecordedRequest } from '@lastgood/outage-lab'
import { ended, listen, whenStill } from './child.ts'
import type { Client } from './clients.ts'
import { startGateway, type GatewayProcess, type GatewayStart } from './gateway-process.ts'
import { beginOutage, outagesOf, type Trouble } from './trouble.ts'

export interface JobOptions {
  readonly client: Client
  /** The programs of its packages. */
  readonly bin: string
  readonly trouble?: Trouble | undefined
  /** The gateway in between; none: the client talks to the API. */
  readonly gateway?: GatewayStart | undefined
  /** The client is given up when no request has reached the API for this long. */
  readonly patienceMs: number
  /** Ends the job: it counts as given up. */
  readonly signal?: AbortSignal | undefined
}

export interface JobDone {
  /** The client's exit code; null if it was given up. */
  readonly exitCode: number | null
  /** The lines of the file. */
  readonly steps: readonly string[]
  /** The fault happened. */
  readonly isHit: boolean
  /** Requests with tools that reached the API, and those that it refused for their content. */
  readonly requests: number
  readonly refused: number
  readonly ms: number
  /** What reached the API and what became of it, and the last words of the client and of the gateway. */
  readonly seen: readonly string[]
  readonly said: string
}

export const isDone = ({ exitCode, steps }: JobDone): boolean => exitCode === 0 && steps.join() === 'step1,step2,step3'

/** Calls the step after those with a good result in the transcript. */
function modelOf(shellTool: string, onFirst: () => void) {
  return ({ tools, messages, request }: Conversation) => {
    if (tools.length === 0) return reply(text('A title'))
    const results = messages.flatMap(({ content }) => content.filter(({ type }) => type === 'tool_result'))
    const done = results.filter((result) => result['is_error'] !== true).length
    if (done === 0) onFirst()
    if (done >= 3) return reply(text('All done.'))
    const command = `echo step${done + 1} >> steps.log`
    return reply([
      ...(wantsThinking(request['thinking']) ? [thinking('One step after the other.')] : []),
      text(`Step ${done + 1} of three.`),
      toolUse(shellTool, { command, description: 'Adds a line' }),
    ])
  }
}

const wantsThinking = (asked: unknown): boolean =>
  typeof asked === 'object' && asked !== null && 'type' in asked && asked.type !== 'disabled'

export async function runJob({ client, bin, trouble, gateway, patienceMs, signal }: JobOptions): Promise<JobDone> {
  const folder = mkdtempSync(join(tmpdir(), 'lastgood-client-'))
  const [home, cwd] = [join(folder, 'home'), join(folder, 'work')]
  for (const made of [home, cwd]) mkdirSync(made)
  const began = Date.now()
  const over = new AbortController()
  let hasBegun = false
  const begin = () => {
    if (!hasBegun && trouble?.kind === 'outage') beginOutage(lab, began, trouble, over.signal)
    hasBegun = true
  }
  const model = modelOf(client.shellTool, begin)
  const lab = await startLab({ model, outages: outagesOf(trouble), toolIds: 'fresh' })
  let between: GatewayProcess | undefined
  try {
    between = gateway && (await startGateway(gateway, lab.url, folder))
    const start = client.start({ home, bin, url: between?.url ?? lab.url })
    const env = { PATH: process.env['PATH'] ?? '', TERM: 'dumb', ...start.env, HOME: home }
    const child = spawn(start.file, start.args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    const heard = listen(child)
    const still = whenStill(() => lab.requests.length, patienceMs, over.signal)
    const exitCode = await ended(child, AbortSignal.any([still, ...(signal ? [signal] : [])]))
    return {
      exitCode,
      steps: linesOf(join(cwd, 'steps.log')),
      isHit: lab.requests.some(({ outcome }) => outcome.kind === 'fault'),
      requests: lab.requests.filter(({ body }) => (body?.tools?.length ?? 0) > 0).length,
      refused: lab.requests.filter(({ outcome }) => outcome.kind === 'rejected').length,
      ms: Date.now() - began,
      seen: lab.requests.map((request) => told(request, began)),
      said: `${heard().slice(-1000)}\n${between?.heard().slice(-2000) ?? ''}`,
    }
  } finally {
    over.abort()
    await between?.stop()
    await lab.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** `+1.2 s claude-opus-5-5, 3 messages: 529`. */
function told({ at, path, body, outcome, violation }: RecordedRequest, began: number): string {
  const { model = path, messages = [], tools = [], stream } = body ?? {}
  const what = `${model}, ${messages.length} messages${tools.length > 0 ? '' : ', no tools'}${stream ? '' : ', not streamed'}`
  const became = [outcome.kind, outcome.status, violation?.message].filter(Boolean).join(' ')
  return `+${((at - began) / 1000).toFixed(1)} s ${what}: ${became}`
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').trim().split('\n')
  } catch {
    return []
  }
}
