/**
 * Reads a journal without lastgood's own code: what conversation it tells, which calls began and which have results.
 * A refused answer is no part of the conversation, and none of its calls is to run.
 */
import type { Block, Edit, Entry, EntryBody, Message } from '@lastgood/core'

export interface Told {
  messages: Message[]
  edits: readonly Edit[]
  /**
   * The API refused the request, and it goes out repaired. A repair for the model asked for is journaled with the answer,
   * one for a fallback is made again in its later turns.
   */
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
  /** The calls of the last answer. */
  calls: string[]
  /** Steps, by id: how often each was announced, and whether it has an outcome. */
  steps: Map<string, { started: number; hasOutcome: boolean }>
  /** Where the conversation stands: how often it was answered, went back, or had all results of an answer. */
  place: number
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
    calls: [],
    steps: new Map(),
    place: 0,
  }
  /** What the model thought is left out for as long as requests with it are refused. */
  let isThoughtless = false
  let isFallback = false
  let rung = ''
  const mended = new Set<string>()
  for (const entry of entries) {
    if (entry.type === 'turn-started' || entry.type === 'turn-continued') {
      told.messages.push(...entry.messages)
      for (const result of entry.messages.flatMap(resultsIn)) told.results.set(String(result['tool_use_id']), result)
      told.isOpen = true
      told.calls = []
    }
    if (entry.type === 'response-received') {
      const { stop_reason: why } = entry.message
      const content = why === 'refusal' ? [] : entry.message.content
      if (content.length > 0) told.messages.push({ role: 'assistant', content })
      told.calls = content.flatMap((block) => (block.type === 'tool_use' ? [String(block['id'])] : []))
      told.place += 1
    }
    if (entry.type === 'step-started' || entry.type === 'step-finished') {
      const { started = 0 } = told.steps.get(entry.stepId) ?? {}
      const hasOutcome = entry.type === 'step-finished' && entry.outcome !== 'in-doubt'
      told.steps.set(entry.stepId, { started: started + (entry.type === 'step-started' ? 1 : 0), hasOutcome })
    }
    if (entry.type === 'rung-changed') {
      isFallback = entry.rung > 0
      rung = `${entry.rung} ${entry.model}`
      told.isMending ||= isFallback && mended.has(rung)
    }
    if (entry.type === 'repairs-reverted') mended.clear()
    if (entry.type === 'response-received') {
      if (told.isMending && isFallback) mended.add(rung)
      told.isUnbound ||= told.isMending && isFallback
      told.isMending &&= isFallback
    }
    if (entry.type === 'turn-started' || entry.type === 'rewound') {
      isFallback = false
      told.isMending = false
    }
    if (entry.type === 'fault-observed' && entry.decision.kind === 'repair') {
      told.isMending = true
      isThoughtless ||= entry.decision.rule === 'strip-thinking'
    }
    if (entry.type === 'tool-started') told.started.push(entry.toolUseId)
    if (entry.type === 'tool-finished') {
      told.results.set(entry.toolUseId, entry.result)
      const results = told.calls.flatMap((id) => told.results.get(id) ?? [])
      if (results.length === told.calls.length) {
        told.messages.push({ role: 'user', content: results })
        told.place += 1
      }
    }
    if (entry.type === 'turn-ended') told.isOpen = false
    if (entry.type === 'rewound') {
      const undone = told.messages.splice(entry.messages)
      // Otherwise somebody has only said it in other words.
      if (entry.turn === entry.lastGoodTurn || undone.some(({ role }) => role === 'assistant')) told.place += 1
      told.edits = told.edits.filter(({ to }) => to <= entry.messages)
      told.isOpen = entry.turn > entry.lastGoodTurn
      told.calls = []
    }
    if (entry.type === 'transcript-repaired') told.edits = over(told.edits, entry.edits)
    if (entry.type === 'repairs-reverted') {
      told.isUnbound ||= told.edits.length > 0
      told.edits = []
    }
  }
  told.isMending ||= isThoughtless
  told.isUnbound ||= isThoughtless
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

/** Later repairs take the place of earlier ones of the same messages. */
const over = (earlier: readonly Edit[], later: readonly Edit[]): Edit[] => [
  ...earlier.filter(({ from, to }) => later.every((edit) => edit.to <= from || to <= edit.from)),
  ...later,
]

/** The messages with repairs over them. */
export function edited(messages: readonly Message[], edits: readonly Edit[]): Message[] {
  const result = [...messages]
  for (const { from, to, insert } of edits.toSorted((a, b) => b.from - a.from))
    result.splice(from, to - from, ...insert)
  return result
}
