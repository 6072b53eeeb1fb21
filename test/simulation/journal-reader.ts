/**
 * Reads a journal without lastgood's own code: what conversation it tells, which calls began and which have results.
 * Small, because the simulated agents do little: their answers have no refusals and no pauses.
 */
import type { Block, Edit, Entry, EntryBody, Message } from '@lastgood/core'

export interface Told {
  messages: Message[]
  edits: readonly Edit[]
  /** The API refused the request, and it goes out repaired. A repair for the model asked for is journaled with the answer. */
  isMending: boolean
  /**
   * Repairs are in force no longer, under answers that were given to the repaired messages: they were taken back, or
   * were for a fallback's turn alone. The API may refuse what the model thought then.
   */
  isUnbound: boolean
  /** Calls, once for each time that one was announced. */
  started: string[]
  /** By call. */
  results: Map<string, Block>
  isOpen: boolean
}

export function readJournal(entries: readonly Entry[]): Told {
  const told: Told = {
    messages: [],
    edits: [],
    isMending: false,
    isUnbound: false,
    started: [],
    results: new Map(),
    isOpen: false,
  }
  let isFallback = false
  /** The calls of the last answer. */
  let calls: string[] = []
  for (const entry of entries) {
    if (entry.type === 'turn-started' || entry.type === 'turn-continued') {
      told.messages.push(...entry.messages)
      for (const result of entry.messages.flatMap(resultsIn)) told.results.set(String(result['tool_use_id']), result)
      told.isOpen = true
      calls = []
    }
    if (entry.type === 'response-received') {
      const { content } = entry.message
      if (content.length > 0) told.messages.push({ role: 'assistant', content })
      calls = content.flatMap((block) => (block.type === 'tool_use' ? [String(block['id'])] : []))
    }
    if (entry.type === 'rung-changed') isFallback = entry.rung > 0
    if (entry.type === 'response-received') {
      told.isUnbound ||= told.isMending && isFallback
      told.isMending &&= isFallback
    }
    if (entry.type === 'turn-started' || entry.type === 'rewound') {
      isFallback = false
      told.isMending = false
    }
    if (entry.type === 'fault-observed') told.isMending ||= entry.decision.kind === 'repair'
    if (entry.type === 'tool-started') told.started.push(entry.toolUseId)
    if (entry.type === 'tool-finished') {
      told.results.set(entry.toolUseId, entry.result)
      const results = calls.flatMap((id) => told.results.get(id) ?? [])
      if (results.length === calls.length) told.messages.push({ role: 'user', content: results })
    }
    if (entry.type === 'turn-ended') told.isOpen = false
    if (entry.type === 'rewound') {
      told.messages.splice(entry.messages)
      told.edits = told.edits.filter(({ to }) => to <= entry.messages)
      told.isOpen = entry.turn > entry.lastGoodTurn
      calls = []
    }
    if (entry.type === 'transcript-repaired') told.edits = over(told.edits, entry.edits)
    if (entry.type === 'repairs-reverted') {
      told.isUnbound ||= told.edits.length > 0
      told.edits = []
    }
  }
  return told
}

/** The entry whose body was kept apart as `text`. */
export function wholeEntry(entry: Entry, text: string | undefined): Entry {
  if (entry.type !== 'kept-apart' || text === undefined) return entry
  const { type: _type, of: _of, blob: _blob, ...stamp } = entry
  return { ...(JSON.parse(text) as EntryBody), ...stamp }
}

const resultsIn = ({ content }: Message): Block[] =>
  typeof content === 'string' ? [] : content.filter(({ type }) => type === 'tool_result')

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

/** Later repairs take the place of earlier ones of the same message. */
const over = (earlier: readonly Edit[], later: readonly Edit[]): Edit[] => [
  ...earlier.filter(({ from }) => later.every((edit) => edit.from !== from)),
  ...later,
]

/** The messages with repairs over them. */
export function edited(messages: readonly Message[], edits: readonly Edit[]): Message[] {
  const result = [...messages]
  for (const { from, to, insert } of edits.toSorted((a, b) => b.from - a.from))
    result.splice(from, to - from, ...insert)
  return result
}
