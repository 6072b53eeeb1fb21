import { describe, expect, test } from 'vitest'
import type { Block, EntryBody, Edit, Envelope, Message } from '../journal/journal.ts'
import { cardOf } from '../ladder/built-in-cards.ts'
import { blocksOf } from '../journal/message.ts'
import { TranscriptWatch } from '../repair/transcript/transcript-watch.ts'
import { Transcript } from '../journal/transcript.ts'
import { bindingBeta } from '../repair/request/kept-signatures.ts'
import { mend, type Mending } from './mended-request.ts'

const [home, rung] = ['claude-opus-4-6', 'claude-sonnet-4-5']
const body = {
  model: home,
  max_tokens: 4_000,
  thinking: { type: 'enabled', budget_tokens: 2_000 },
  tools: [{ name: 'read', input_schema: { type: 'object' } }],
}
const asked = { body, betas: [], apiVersion: '2023-06-01' }

/** Answers with signed thinking and a call, and their results; what is said beside is blank, so that it is mended. */
function answeredBy(...makers: string[]) {
  const transcript = new Transcript()
  let seq = 0
  const apply = (entry: EntryBody) => {
    seq += 1
    transcript.apply({ ...entry, v: 3, seq, at: seq, fence: 1, lane: 'main' }, 's')
  }
  apply({ type: 'envelope-changed', envelope: asked })
  apply({ type: 'turn-started', turn: 1, messages: [{ role: 'user', content: 'hi' }] })
  makers.forEach((model, at) => {
    const thinking = { type: 'thinking', thinking: 'x', signature: `of ${model}` }
    const call = { type: 'tool_use', id: `c${at}`, name: 'read', input: {} }
    const content = [thinking, { type: 'text', text: '\n\n' }, call]
    const message = { id: `m${at}`, role: 'assistant' as const, model, content, stop_reason: 'tool_use' }
    apply({ type: 'response-received', message })
    const result = { type: 'tool_result', tool_use_id: `c${at}`, content: 'r' }
    apply({ type: 'turn-continued', messages: [{ role: 'user', content: [result] }] })
  })
  const sent = (to?: string, envelope: Envelope = asked, more: Partial<Pick<Mending, 'tried' | 'kept'>> = {}) => {
    const messages = [...transcript.messages]
    const request = { messages, added: [], envelope, model: envelope.body.model, asSent: undefined, streams: false }
    const card = to === undefined ? undefined : cardOf(to)
    const recorded = transcript.messages
    const own = { transcript, recorded, tried: [], request, watch: new TranscriptWatch(), kept: [], rung: card }
    return mend({ ...own, ...more })
  }
  return { apply, sent, transcript }
}

const signatures = (messages: readonly Message[]) =>
  messages.flatMap((message) => blocksOf(message).flatMap((block) => block['signature'] ?? []))

test("a mended answer stays its maker's: its thinking goes to no other model, and to that one (also before it is journaled)", () => {
  const { sent, apply } = answeredBy(rung)
  const first = sent()
  expect(first.repairs.map(({ rule }) => rule)).toEqual(['empty-text'])
  expect(signatures(first.outgoing.messages)).toEqual([])
  expect(signatures(sent(rung).outgoing.messages)).toEqual([`of ${rung}`])
  const { repairs, edits, standing } = first
  apply({ type: 'transcript-repaired', repairs: [...repairs], edits: [...edits], standing: [...standing] })
  expect(signatures(sent().outgoing.messages)).toEqual([])
  expect(signatures(sent(rung).outgoing.messages)).toEqual([`of ${rung}`])
})

test('of several answers in whose place one edit stands each has its own maker', () => {
  const { sent, apply, transcript } = answeredBy(rung, home)
  const insert = transcript.messages.slice(1).map(({ role, content }) => {
    const blocks = (content as Block[]).filter(({ type }) => type !== 'text')
    return { role, content: structuredClone(blocks) }
  })
  apply({ type: 'transcript-repaired', repairs: [], edits: [{ from: 1, to: 5, insert }], standing: [] })
  expect(signatures(sent().outgoing.messages)).toEqual([`of ${home}`])
  expect(signatures(sent(rung).outgoing.messages)).toEqual([`of ${rung}`])
})

test('of the edits that a request has, only those that are not in the journal are for it; what stands is not told again', () => {
  const { sent, apply } = answeredBy(rung, home)
  const first = sent(rung)
  expect(first.repairs.map(({ rule, message }) => [rule, message])).toEqual([
    ['empty-text', 1],
    ['empty-text', 3],
  ])
  expect(first.edits).toHaveLength(2)
  const [one, two] = first.edits as [Edit, Edit]
  apply({ type: 'transcript-repaired', repairs: [...first.repairs], edits: [one], standing: [] })
  expect(sent(rung).edits).toEqual([two])
  apply({ type: 'transcript-repaired', repairs: [], edits: [two], standing: [] })
  const { repairs, edits, standing, done } = sent(rung)
  expect({ repairs, edits, standing, done }).toEqual({ repairs: [], edits: [], standing: [], done: [] })
})

test('a repair of what an edit in the journal says takes its place, and is for the journal too', () => {
  const { sent, apply, transcript } = answeredBy(rung)
  const mended = sent(rung).edits
  const insert = [structuredClone(transcript.messages[1]!)]
  apply({ type: 'transcript-repaired', repairs: [], edits: [{ from: 1, to: 2, insert }], standing: [] })
  expect(sent(rung).edits).toEqual(mended)
})

test('a paused answer is still sent last, and unchanged, after the model has refused to go on from it', () => {
  const { sent, apply } = answeredBy()
  const content = [
    { type: 'thinking', thinking: 'x', signature: 's' },
    { type: 'text', text: 'Searching.' },
  ]
  const answer = { role: 'assistant' as const, model: home, content }
  apply({ type: 'response-received', message: { ...answer, id: 'm1', stop_reason: 'pause_turn' } })
  apply({ type: 'response-received', message: { ...answer, id: 'm2', stop_reason: 'refusal' } })
  const { repairs, outgoing } = sent()
  expect(repairs).toEqual([])
  expect(outgoing.messages.at(-1)).toEqual({ role: 'assistant', content })
})

describe('a call of the server and its result, which comes in a piece of the next answer, go together', () => {
  const [search, found] = [
    { type: 'server_tool_use', id: 's', name: 'web_search', input: {} },
    { type: 'web_search_tool_result', tool_use_id: 's', content: [] },
  ]
  const [searching, told] = [
    { type: 'text', text: 'Searching.' },
    { type: 'text', text: 'Found' },
  ]
  const thought = { type: 'thinking', thinking: 'x', signature: 's' }
  const envelope = { ...asked, body: { ...body, tools: [{ type: 'web_search_20250305', name: 'web_search' }] } }
  const tried = ['strip-thinking']

  /** The contents after the task. */
  function sentAfterPause(to: string | undefined, more: Parameters<ReturnType<typeof answeredBy>['sent']>[2]) {
    const { sent, apply } = answeredBy()
    const content = [thought, searching, search]
    const answer = { id: 'm1', role: 'assistant' as const, model: to ?? home, content, stop_reason: 'pause_turn' }
    apply({ type: 'response-received', message: answer })
    return sent(to, envelope, more)
      .outgoing.messages.slice(1)
      .map((message) => message.content)
  }
  const goOn = expect.stringContaining('was interrupted') as string

  test('the result goes where the thinking of the pause went later', () => {
    expect(sentAfterPause(undefined, { kept: [[found, told]] })).toEqual([
      [thought, searching, search],
      [found, told],
      goOn,
    ])
    expect(sentAfterPause(undefined, { tried, kept: [[found, told]] })).toEqual([[searching], goOn, [told], goOn])
  })

  test.each([undefined, rung])('the call goes where the piece came without it (rung: %s)', (to) => {
    const contents = sentAfterPause(to, { tried, kept: [[told]] })
    expect(contents.flat()).not.toContainEqual(search)
    expect(contents.at(-2)).toEqual([told])
  })
})

test('thinking that an edit has unbound may be dropped by every model that binds it, and is not told again', () => {
  const { sent, apply } = answeredBy(home)
  const edits = [{ from: 0, to: 1, insert: [{ role: 'user', content: 'hello' }] }]
  apply({ type: 'transcript-repaired', repairs: [], edits, standing: ['drop-block'] })
  const to = (model: string) => sent(undefined, { ...asked, body: { ...body, model } })
  expect(to('claude-opus-5-5').outgoing.betas).toEqual([bindingBeta])
  expect(to('claude-opus-5-5').standing).toEqual([])
  expect(to(rung).outgoing.betas).toEqual([])
})
