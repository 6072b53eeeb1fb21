/**
 * An ordinary step of a running conversation: a tool has given its result, the request with it leaves, and an answer in
 * words streams in and ends the turn. With the SDK alone, and with lastgood at both levels on each store.
 */
import Anthropic from '@anthropic-ai/sdk'
import { defineAgent, recoverable, tool } from '@lastgood/anthropic'
import type { Session } from '@lastgood/core'
import { z } from 'zod'
import {
  call,
  historyOf,
  model,
  provider,
  resultOf,
  sourceText,
  streamWords,
  system,
  toolName,
  words,
} from './history.ts'

export const storeNames = ['memory', 'file', 'Redis'] as const
export type StoreName = (typeof storeNames)[number]

/** `level 1`: `recoverable`, in a loop of one's own. `level 2`: `session.run`. */
export const levels = ['level 1', 'level 2'] as const
export type Level = (typeof levels)[number]

/** In ms. */
export interface Measured {
  /** From the tool's result to the first word of the answer. The request is durable by then. */
  readonly firstWord: number
  /** Processor time of all threads of this process in that time. */
  readonly cpu: number
  /** From one word to the next. */
  readonly event: number
  readonly eventCpu: number
  /** From the last word until the loop has the answer, which is durable by then. */
  readonly end: number
}

/** One step of the SDK alone, at the end of a new conversation of `count` messages, an even number above 6. */
export const measureAlone = (count: number): Promise<Measured> => ownLoop(newClient(), count)

/** The same with lastgood. `session` is a new one. */
export function measureStep(session: Session, level: Level, count: number): Promise<Measured> {
  const client = newClient()
  return level === 'level 1' ? ownLoop(recoverable(client, session), count) : agentLoop(client, session, count)
}

function newClient(): Anthropic {
  const answers = [() => words('begun', 1), () => call('toolu_measured'), () => words('measured')]
  return new Anthropic({ apiKey: 'unused', maxRetries: 0, fetch: provider(...answers) })
}

const request = {
  model,
  system,
  max_tokens: 8000,
  tools: [{ name: toolName, description: 'Reads a file.', input_schema: { type: 'object' as const } }],
}

/** The conversation up to the request with a tool's result. */
async function begun(client: Anthropic, count: number): Promise<Anthropic.MessageParam[]> {
  const messages = historyOf(count - 4)
  messages.push(await answerTo(client, messages), { role: 'user', content: 'Go on.' })
  return messages
}

async function answerTo(client: Anthropic, messages: Anthropic.MessageParam[]): Promise<Anthropic.MessageParam> {
  const { content } = await client.messages.stream({ ...request, messages }).finalMessage()
  return { role: 'assistant', content }
}

async function ownLoop(client: Anthropic, count: number): Promise<Measured> {
  const messages = await begun(client, count)
  const answer = await answerTo(client, messages)
  const [block] = answer.content as Anthropic.ToolUseBlock[]
  messages.push(answer, resultOf(String(block?.id)))
  const watch = stopwatch()
  for await (const event of await client.messages.create({ ...request, messages, stream: true })) {
    if (event.type === 'content_block_delta') watch.word()
  }
  return watch.end()
}

async function agentLoop(client: Anthropic, session: Session, count: number): Promise<Measured> {
  await begun(recoverable(client, session), count)
  let watch: Stopwatch | undefined
  const read = tool({
    name: toolName,
    description: 'Reads a file.',
    input: z.object({ path: z.string() }),
    run() {
      watch = stopwatch()
      return sourceText
    },
  })
  session.subscribe(({ type }) => type === 'delta' && watch?.word())
  await session.run(defineAgent({ name: 'coder', client, model, system, maxTokens: 8000, tools: [read] }), 'Go on.')
  if (!watch) throw new Error('the tool did not run')
  return watch.end()
}

type Stopwatch = ReturnType<typeof stopwatch>

/** From now on. */
function stopwatch() {
  const started = mark()
  let [first, last] = [started, started]
  let count = 0
  return {
    word() {
      count += 1
      if (count === 1) first = mark()
      if (count === streamWords) last = mark()
    },
    end(): Measured {
      if (count !== streamWords) throw new Error(`${count} words arrived, not ${streamWords}`)
      return {
        firstWord: first.at - started.at,
        cpu: first.cpu - started.cpu,
        event: (last.at - first.at) / (streamWords - 1),
        eventCpu: (last.cpu - first.cpu) / (streamWords - 1),
        end: performance.now() - last.at,
      }
    },
  }
}

function mark() {
  const { user, system } = process.cpuUsage()
  return { at: performance.now(), cpu: (user + system) / 1000 }
}
