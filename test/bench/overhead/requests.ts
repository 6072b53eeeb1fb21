/**
 * One more request on a history of some length: bare, and through a session. Every run has its own session, which has
 * sent and recorded the history before, so that the measured request is an ordinary step of a running conversation.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { intercept, memoryStore, openSession, type Store, type WireRequest } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { answerWith, historyOf, requestOf, resultOf, streamEvents } from './history.ts'

export const paths = ['bare', 'memory', 'file'] as const
export type Path = (typeof paths)[number]

/** In ms. */
export interface Measured {
  /** From the call to the first bytes of the answer. */
  readonly firstByte: number
  /** Between two events of the stream. */
  readonly event: number
  /** Processor time of all threads. */
  readonly cpu: number
}

type Send = (request: WireRequest) => Promise<Response>

export async function measureRequests(path: Path, messages: number, runs: number): Promise<Measured[]> {
  const warmUp = Math.ceil(runs / 5)
  const folder = mkdtempSync(join(tmpdir(), 'lastgood-bench-'))
  try {
    const measured: Measured[] = []
    for (let run = 0; run < warmUp + runs; run++) measured.push(await measureOne(path, messages, folder, run))
    return measured.slice(warmUp)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const encoder = new TextEncoder()
let bytesOut = 0

async function measureOne(path: Path, count: number, folder: string, run: number): Promise<Measured> {
  const history = historyOf(count - 2)
  // Of another call each time: an answer with the id of an earlier call is a broken one.
  const idOf = (answer: number) => `toolu_${run}_${answer}`
  let answers = 0
  // With and without lastgood the body is written to a socket.
  const provider: Send = async ({ body }) => {
    bytesOut += encoder.encode(body as string).length
    return answerWith(idOf(answers++))
  }
  const store = storeOf(path, folder)
  const session = store && (await openSession(`run-${run}`, { store }))
  const through = session && intercept(session)
  const send: Send = (request) => (through ? through(request, provider) : provider(request))

  const answer = await readAnswer(await send(requestOf(history)))
  const next = requestOf([...history, answer, resultOf(idOf(0))])
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()]
  const response = await send(next)
  const reader = response.body?.getReader()
  await reader?.read()
  const firstAt = performance.now()
  while (reader && !(await reader.read()).done);
  const endedAt = performance.now()
  const { user, system } = process.cpuUsage(cpu)
  await session?.close()
  await store?.close()
  return {
    firstByte: firstAt - startedAt,
    event: (endedAt - firstAt) / (streamEvents - 1),
    cpu: (user + system) / 1000,
  }
}

function storeOf(path: Path, folder: string): Store | undefined {
  if (path === 'memory') return memoryStore()
  return path === 'file' ? fileStore({ dir: folder }) : undefined
}

/** The assistant message of a stream. */
async function readAnswer(response: Response) {
  const content: Record<string, unknown>[] = []
  for (const line of (await response.text()).split('\n')) {
    if (!line.startsWith('data: ')) continue
    const data = JSON.parse(line.slice(6)) as {
      content_block?: Record<string, unknown>
      delta?: { text?: string; partial_json?: string }
    }
    if (data.content_block) content.push(data.content_block)
    const last = content.at(-1)
    if (last && data.delta?.text !== undefined) last['text'] = String(last['text']) + data.delta.text
    if (last && data.delta?.partial_json !== undefined) last['input'] = JSON.parse(data.delta.partial_json)
  }
  return { role: 'assistant' as const, content }
}
