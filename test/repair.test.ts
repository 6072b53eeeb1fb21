/**
 * Repair against a referee that shares no code with it: whatever happens to a conversation, it continues, and no words
 * are dropped silently.
 */
import type { Message } from '@lastgood/core'
import { classify } from '@lastgood/core'
import { checkRequest, signThinking } from '@lastgood/outage-lab'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cardOf } from '../packages/core/src/ladder/built-in-cards.ts'
import { applyEdits, editsBetween } from '../packages/core/src/repair/transcript/edits.ts'
import type { Outgoing, Repair, RepairContext } from '../packages/core/src/repair/outgoing.ts'
import { repairOutgoing } from '../packages/core/src/repair/transcript/repair-transcript.ts'
import { applicableRepairs, applyRefusalRule } from '../packages/core/src/repair/refused/refusal-rules.ts'
import { TranscriptWatch } from '../packages/core/src/repair/transcript/transcript-watch.ts'

type Block = Exclude<Message['content'], string>[number]

const models = ['claude-opus-5-5', 'claude-sonnet-5', 'claude-opus-4-6', 'claude-sonnet-4-5'] as const
const tools = [
  { name: 'read', description: 'Reads.', input_schema: { type: 'object' } },
  { type: 'web_search_20250305', name: 'web_search' },
]

// -- Conversations as the API would have them ---------------------------------------------------------------------------

interface Step {
  thinks: boolean
  says: boolean
  calls: number
  asString: boolean
  searches: boolean
  /** The last call stands in a message of its own, as some clients keep it. */
  parts: boolean
}

const stepArb: fc.Arbitrary<Step> = fc.record({
  thinks: fc.boolean(),
  says: fc.boolean(),
  calls: fc.nat(3),
  asString: fc.boolean(),
  searches: fc.boolean(),
  parts: fc.boolean(),
})

/** Turns of an agent at work; each text and result says where it is from, so that nothing can be lost unseen. */
function conversationOf(steps: readonly Step[], name: string): Message[] {
  const messages: Message[] = [{ role: 'user', content: `${name} begins` }]
  steps.forEach(({ thinks, says, calls, asString, searches, parts }, at) => {
    const ids = Array.from({ length: calls }, (_, n) => `toolu_${name}_${at}_${n}`)
    const content: Block[] = [
      ...(thinks ? [{ type: 'thinking', thinking: `${name} thought ${at}`, signature: '' }] : []),
      ...(searches
        ? [
            { type: 'server_tool_use', id: `srvtoolu_${name}_${at}`, name: 'web_search', input: {} },
            { type: 'web_search_tool_result', tool_use_id: `srvtoolu_${name}_${at}`, content: [] },
          ]
        : []),
      ...(says || calls === 0 ? [{ type: 'text', text: `${name} says ${at}` }] : []),
      ...ids.map((id) => ({ type: 'tool_use', id, name: 'read', input: { at } })),
    ]
    const first = parts && calls > 1 ? content.slice(0, -1) : content
    messages.push({ role: 'assistant', content: first })
    if (first !== content) messages.push({ role: 'assistant', content: content.slice(-1) })
    const results = ids.map((id) => ({ type: 'tool_result', tool_use_id: id, content: `${name} result ${id}` }))
    if (calls > 0) messages.push({ role: 'user', content: results })
    else
      messages.push({
        role: 'user',
        content: asString ? `${name} asks ${at}` : [{ type: 'text', text: `${name} asks ${at}` }],
      })
  })
  return messages
}

const requestArb = fc
  .record({ steps: fc.array(stepArb, { minLength: 1, maxLength: 7 }), model: fc.constantFrom(...models) })
  .map(({ steps, model }) => {
    const thinking = model === 'claude-sonnet-4-5' ? { type: 'enabled', budget_tokens: 1_024 } : { type: 'adaptive' }
    const openTurn = steps.map((step) => ({ ...step, thinks: step.thinks || model === 'claude-sonnet-4-5' }))
    const messages = conversationOf(openTurn, 'a')
    return signThinking({ model, max_tokens: 4_000, thinking, tools, messages })
  })

const foreign = signThinking({
  model: 'claude-opus-5-5',
  max_tokens: 10,
  tools,
  messages: conversationOf(
    [
      { thinks: true, says: true, calls: 2, asString: true, searches: true, parts: false },
      { thinks: true, says: true, calls: 0, asString: true, searches: false, parts: false },
    ],
    'b',
  ),
}).messages

// -- What happens to them -----------------------------------------------------------------------------------------------

type Damage = (messages: Message[], pick: (n: number) => number) => Message[]

const blocksOf = ({ content }: Message): Block[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content
const editOne = (messages: Message[], at: number, edit: (blocks: Block[]) => Block[]): Message[] =>
  messages.map((message, i) => (i === at ? { ...message, content: edit(blocksOf(message)) } : message))

const damages: Record<string, Damage> = {
  'a message is dropped': (messages, pick) => messages.toSpliced(pick(messages.length), 1),
  'a message is there twice': (messages, pick) => {
    const at = pick(messages.length)
    return messages.toSpliced(at, 0, structuredClone(messages[at]) as Message)
  },
  'a pair of messages is there twice': (messages, pick) => {
    const at = pick(messages.length)
    return messages.toSpliced(at, 0, ...structuredClone(messages.slice(at, at + 2)))
  },
  'two messages change places': (messages, pick) => {
    const at = pick(messages.length - 1)
    const [one, two] = messages.slice(at, at + 2)
    return one && two ? messages.toSpliced(at, 2, two, one) : messages
  },
  'the end is cut off': (messages, pick) => messages.slice(0, 1 + pick(messages.length)),
  'the beginning is cut off': (messages, pick) => messages.slice(pick(messages.length)),
  'a block is dropped': (messages, pick) =>
    editOne(messages, pick(messages.length), (blocks) => blocks.toSpliced(pick(blocks.length), 1)),
  'a block is there twice': (messages, pick) =>
    editOne(messages, pick(messages.length), (blocks) => {
      const at = pick(blocks.length)
      return blocks.toSpliced(at, 0, structuredClone(blocks.slice(at, at + 1))[0] ?? { type: 'text', text: 'x' })
    }),
  'blocks change their order': (messages, pick) =>
    editOne(messages, pick(messages.length), (blocks) => blocks.toReversed()),
  'two messages are merged': (messages, pick) => {
    const at = pick(messages.length - 1)
    const [one, two] = messages.slice(at, at + 2)
    return one && two ? messages.toSpliced(at, 2, { ...one, content: [...blocksOf(one), ...blocksOf(two)] }) : messages
  },
  'a message is emptied': (messages, pick) => editOne(messages, pick(messages.length), () => []),
  'a text is blank': (messages, pick) =>
    editOne(messages, pick(messages.length), (blocks) =>
      blocks.map((block) => (block.type === 'text' ? { ...block, text: ' ' } : block)),
    ),
  'a text is cut inside a sign': (messages, pick) =>
    editOne(messages, pick(messages.length), (blocks) =>
      blocks.map((block) => (block.type === 'text' ? { ...block, text: `${String(block['text'])}\ud83d` } : block)),
    ),
  'thinking was cut': (messages, pick) =>
    editOne(messages, pick(messages.length), (blocks) =>
      blocks.map((block) => (block.type === 'thinking' ? { ...block, signature: '' } : block)),
    ),
  'thinking was edited': (messages, pick) =>
    editOne(messages, pick(messages.length), (blocks) =>
      blocks.map((block) => (block.type === 'thinking' ? { ...block, thinking: 'edited' } : block)),
    ),
  'ids are those of another provider': (messages, pick) =>
    editOne(messages, pick(messages.length), (blocks) =>
      blocks.map((block) => (block.type === 'tool_use' ? { ...block, id: `call|${String(block['id'])}` } : block)),
    ),
  'another conversation is spliced in': (messages, pick) =>
    messages.toSpliced(pick(messages.length + 1), 0, ...structuredClone(foreign)),
  'a note of the system is put in': (messages, pick) =>
    messages.toSpliced(pick(messages.length + 1), 0, { role: 'system', content: 'a note of the system' }),
}

const damageArb = fc.array(
  fc.record({
    how: fc.constantFrom(...Object.keys(damages)),
    picks: fc.array(fc.nat(1_000), { minLength: 3, maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 4 },
)

function damaged(messages: readonly Message[], all: { how: string; picks: number[] }[]): Message[] {
  return all.reduce(
    (before, { how, picks }) => {
      let next = 0
      const pick = (n: number) => (n <= 0 ? 0 : (picks[next++ % picks.length] ?? 0) % n)
      return before.length === 0 ? before : (damages[how]?.(before, pick) ?? before)
    },
    structuredClone([...messages]),
  )
}

// -- The way to an answer -----------------------------------------------------------------------------------------------

const refused = ({ params, messages, betas }: Outgoing) =>
  checkRequest({ ...params, messages }, { version: '2023-06-01', betas: [...betas] })

/** Sends, and does what the refusal calls for, as a session does; the request that is accepted, or where it ended. */
function untilAccepted(sent: Outgoing, context: RepairContext) {
  const local = repairOutgoing(sent, context)
  const repairs: Repair[] = [...local.repairs]
  let outgoing = local.outgoing
  const tried: string[] = []
  for (let attempt = 0; attempt < 12; attempt += 1) {
    const violation = refused(outgoing)
    if (!violation) return { outgoing, repairs, tried, ...(local.unrepairable && { unrepairable: local.unrepairable }) }
    const body = JSON.stringify({ type: 'error', error: { type: violation.type, message: violation.message } })
    const fault = classify({ phase: 'status', status: violation.status, body, now: 0 })
    const next = applicableRepairs(outgoing, { ...context, fault }).find((rule) => !tried.includes(rule))
    const repaired = next === undefined ? undefined : applyRefusalRule(next, outgoing, { ...context, fault })
    if (next === undefined || !repaired)
      return { outgoing, repairs, tried, violation, unrepairable: local.unrepairable }
    tried.push(next)
    repairs.push(...repaired.repairs)
    const again = repairOutgoing(repaired.outgoing, context)
    outgoing = again.outgoing
    repairs.push(...again.repairs)
  }
  throw new Error(`no end: ${tried.join(' ')}`)
}

/** What people said and tools returned, block by block. */
const wordsOf = (messages: readonly Message[]): string[] =>
  messages
    .filter(({ role }) => role === 'user')
    .flatMap(blocksOf)
    .flatMap((block) => [block['text'], block['content']].filter((said) => typeof said === 'string'))
    .map((said) => said.replaceAll(/[\ud83d\ufffd]/g, ''))
    .filter((said) => said.trim() !== '')

/** The same conversations and damages each time; another seed finds others. */
const seed = 20_261_122

const contextOf = (model: string): RepairContext => ({ card: cardOf(model) })

test('a valid conversation is not touched', () => {
  fc.assert(
    fc.property(requestArb, ({ messages, ...params }) => {
      const outgoing: Outgoing = { params, messages, betas: [] }
      fc.pre(refused(outgoing) === undefined)
      expect(repairOutgoing(outgoing, contextOf(params.model))).toEqual({ outgoing, repairs: [] })
      expect(repairOutgoing(outgoing, contextOf(params.model)).outgoing).toBe(outgoing)
    }),
    { numRuns: 300, seed },
  )
})

test('whatever happens to a conversation, it is mended to one that the API accepts, or it is said why not', () => {
  fc.assert(
    fc.property(requestArb, damageArb, ({ messages, ...params }, all) => {
      const sent: Outgoing = { params, messages: damaged(messages, all), betas: [] }
      const ended = untilAccepted(sent, contextOf(params.model))
      // Only where nobody has said anything there is nothing to send.
      if (ended.unrepairable) expect(JSON.stringify(sent.messages)).not.toMatch(/says|asks|begins|result|note/)
      else
        expect({ tried: ended.tried, violation: ended.violation }).toEqual({ tried: ended.tried, violation: undefined })
    }),
    { numRuns: 1_000, seed },
  )
})

test('what was mended before it was sent needs no more, and its edits lead from the record to what is sent', () => {
  fc.assert(
    fc.property(requestArb, damageArb, ({ messages, ...params }, all) => {
      const sent: Outgoing = { params, messages: damaged(messages, all), betas: [] }
      const { outgoing } = repairOutgoing(sent, contextOf(params.model))
      expect(repairOutgoing(outgoing, contextOf(params.model)).repairs).toEqual([])
      const edits = editsBetween(sent.messages, outgoing.messages)
      expect(applyEdits(sent.messages, edits)).toEqual(outgoing.messages)
    }),
    { numRuns: 400, seed },
  )
})

test('nothing that a person said or a tool returned is dropped without being listed', () => {
  fc.assert(
    fc.property(requestArb, damageArb, ({ messages, ...params }, all) => {
      const sent: Outgoing = { params, messages: damaged(messages, all), betas: [] }
      const { outgoing, repairs } = repairOutgoing(sent, contextOf(params.model))
      const kept = JSON.stringify(outgoing.messages)
      const listed = JSON.stringify(repairs.flatMap(({ removed = [] }) => removed))
      for (const said of wordsOf(sent.messages)) {
        expect(kept.includes(said) || listed.includes(said) ? undefined : said).toBeUndefined()
      }
    }),
    { numRuns: 400, seed },
  )
})

test('the watch over a growing conversation says what the check of the whole says', () => {
  fc.assert(
    fc.property(requestArb, damageArb, fc.nat(1_000), ({ messages, ...params }, all, from) => {
      const watch = new TranscriptWatch()
      const whole = damaged(messages, all)
      const context = contextOf(params.model)
      const first = from % (messages.length + 1)
      const grown: Message[][] = [
        ...messages.map((_, n) => messages.slice(0, n + 1)),
        [...messages.slice(0, first), ...whole],
        [...messages, ...whole],
      ]
      for (const now of grown) {
        const outgoing: Outgoing = { params, messages: now, betas: [] }
        expect(watch.repair(outgoing, context).repairs).toEqual(repairOutgoing(outgoing, context).repairs)
      }
    }),
    { numRuns: 120, seed },
  )
})
