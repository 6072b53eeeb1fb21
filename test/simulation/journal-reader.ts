/**
 * Reads a journal without lastgood's own code: what conversation it tells, which calls began and which have results.
 * Small, because the simulated agents do little: their answers have no refusals and no pauses.
 */
import type { Block, Edit, Entry, Message } from '@lastgood/core'

export interface Told {
  messages: Message[]
  edits: readonly Edit[]
  /** By tool call. */
  started: Set<string>
  results: Map<string, Block>
  /** Answers, by the API's id. */
  answers: Map<string, Message>
  turnsEnded: number
  isOpen: boolean
}

export function readJournal(entries: readonly Entry[]): Told {
  const told: Told = {
    messages: [],
    edits: [],
    started: new Set(),
    results: new Map(),
    answers: new Map(),
    turnsEnded: 0,
    isOpen: false,
  }
  /** The calls of the last answer. */
  let calls: string[] = []
  for (const entry of entries) {
    if (entry.type === 'turn-started' || entry.type === 'turn-continued') {
      told.messages.push(...entry.messages)
      told.isOpen = true
      calls = []
    }
    if (entry.type === 'response-received') {
      const { id, content } = entry.message
      const message = { role: 'assistant', content }
      told.answers.set(id, message)
      if (content.length > 0) told.messages.push(message)
      calls = content.flatMap((block) => (block.type === 'tool_use' ? [String(block['id'])] : []))
    }
    if (entry.type === 'tool-started') told.started.add(entry.toolUseId)
    if (entry.type === 'tool-finished') {
      told.results.set(entry.toolUseId, entry.result)
      const results = calls.flatMap((id) => told.results.get(id) ?? [])
      if (results.length === calls.length) told.messages.push({ role: 'user', content: results })
    }
    if (entry.type === 'turn-ended') {
      told.turnsEnded = entry.turn
      told.isOpen = false
    }
    if (entry.type === 'rewound') {
      told.messages.splice(entry.messages)
      told.edits = told.edits.filter(({ to }) => to <= entry.messages)
      told.turnsEnded = entry.lastGoodTurn
      told.isOpen = entry.turn > entry.lastGoodTurn
      calls = []
    }
    if (entry.type === 'transcript-repaired') told.edits = entry.edits.length > 0 ? entry.edits : told.edits
    if (entry.type === 'repairs-reverted') told.edits = []
  }
  return told
}

/** What a request carries, in one spelling: content as blocks, keys in order, and without cache markers. */
export function spelled(messages: readonly Message[]): string {
  const blocks = ({ content }: Message) => (typeof content === 'string' ? [{ type: 'text', text: content }] : content)
  return JSON.stringify(
    messages.map((message) => [message.role, blocks(message)]),
    (key, value: unknown) => (key === 'cache_control' ? undefined : isPlain(value) ? inOrder(value) : value),
  )
}

const isPlain = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const inOrder = (value: object) => Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))

/** The messages with repairs over them. */
export function edited(messages: readonly Message[], edits: readonly Edit[]): Message[] {
  const result = [...messages]
  for (const { from, to, insert } of edits.toSorted((a, b) => b.from - a.from))
    result.splice(from, to - from, ...insert)
  return result
}
