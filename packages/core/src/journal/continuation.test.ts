import { describe, expect, test } from 'vitest'
import { continuationOf } from './continuation.ts'
import type { Message } from './journal.ts'

const user = (content: Message['content']): Message => ({ role: 'user', content })
const assistant = (...content: { type: string; [key: string]: unknown }[]): Message => ({ role: 'assistant', content })
const recorded = [user('hi'), assistant({ type: 'text', text: 'hello' })]

describe('continuationOf', () => {
  test('more messages after the recorded ones go on from the end', () => {
    const incoming = [...recorded, user('go on')]
    expect(continuationOf(recorded, incoming)).toEqual({ kept: 2, resolved: incoming, exact: true })
  })

  test('cache markers, key order, fields without a value and the short form of text do not matter; they are kept', () => {
    const incoming = [
      user([{ cache_control: { type: 'ephemeral' }, text: 'hi', type: 'text' }]),
      assistant({ text: 'hello', type: 'text', citations: null }),
    ]
    expect(continuationOf(recorded, incoming)).toEqual({ kept: 2, resolved: incoming, exact: true })
  })

  test('a system message that sets another effort is another message', () => {
    const sets = (effort: string): Message => ({ role: 'system', content: [], output_config: { effort } })
    const before = [...recorded, sets('low')]
    expect(continuationOf(before, [...recorded, sets('low'), user('go on')]).kept).toBe(3)
    expect(continuationOf(before, [...recorded, sets('high'), user('go on')]).kept).toBe(2)
    expect(continuationOf(before, [...recorded, { role: 'system', content: [] }]).kept).toBe(2)
  })

  test('an edited message goes back to the one before it', () => {
    expect(continuationOf(recorded, [user('hi'), assistant({ type: 'text', text: 'edited' })]).kept).toBe(1)
  })

  test('a shorter history goes back to its end: the caller asks for another answer', () => {
    expect(continuationOf(recorded, [user('hi')])).toEqual({ kept: 1, resolved: [user('hi')], exact: true })
  })

  test('nothing in common keeps nothing; before the first message everything goes on', () => {
    expect(continuationOf(recorded, [user('Write a title for this')]).kept).toBe(0)
    expect(continuationOf([], [user('hi')])).toEqual({ kept: 0, resolved: [user('hi')], exact: true })
  })

  test('blocks of a broken attempt before the recorded answer count as the same; the recorded one is sent on', () => {
    const seen = assistant(
      { type: 'thinking', thinking: 'h' },
      { type: 'text', text: 'hel' },
      { type: 'text', text: 'hello' },
    )
    const { kept, resolved, exact } = continuationOf(recorded, [user('hi'), seen, user('next')])
    expect({ kept, resolved, exact }).toEqual({ kept: 2, resolved: [...recorded, user('next')], exact: false })
  })

  test('an answer counts as the same without citations and without the input of a server tool, not with others', () => {
    const search = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'x' } }
    const found = { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] }
    const cited = { type: 'text', text: 'So.', citations: [{ type: 'web_search_result_location', url: 'u' }] }
    const ours = [user('hi'), assistant(search, found, cited)]
    const kept = (...blocks: Parameters<typeof assistant>) =>
      continuationOf(ours, [user('hi'), assistant(...blocks), user('next')])
    const plain = { type: 'text', text: 'So.' }
    const whole = { kept: 2, resolved: [...ours, user('next')], exact: false }
    expect(kept({ ...search, input: {} }, found, plain)).toEqual(whole)
    expect(kept(search, found, { ...plain, citations: [] })).toEqual(whole)
    expect(kept({ ...search, input: { query: 'y' } }, found, plain).kept).toBe(1)
    expect(kept({ ...search, id: 'srvtoolu_2', input: {} }, found, plain).kept).toBe(1)
    expect(kept(search, found, { ...plain, citations: [{ type: 'other' }] }).kept).toBe(1)
    expect(kept(search, found, { ...plain, text: 'No.' }).kept).toBe(1)
  })

  test('an answer of thinking alone counts as the same after blocks of a broken attempt, and not when it is another', () => {
    const answer = assistant({ type: 'thinking', thinking: 'So.', signature: 's' })
    const after = (thinking: object) =>
      assistant({ type: 'thinking', thinking: 'S' }, { type: 'text', text: 'hal' }, { type: 'thinking', ...thinking })
    const ours = [user('hi'), answer]
    const seen = [user('hi'), after({ thinking: 'So.', signature: 's' }), user('next')]
    expect(continuationOf(ours, seen)).toEqual({ kept: 2, resolved: [...ours, user('next')], exact: false })
    expect(continuationOf(ours, [user('hi'), after({ thinking: 'Or.', signature: 't' })]).kept).toBe(1)
    expect(continuationOf([user('hi'), assistant()], [user('hi'), assistant({ type: 'text', text: 'x' })]).kept).toBe(1)
  })

  test('an answer whose thinking the caller left out counts as the same; the recorded one is sent on', () => {
    const answer = assistant({ type: 'thinking', thinking: 'x' }, { type: 'text', text: 'hello', citations: null })
    const { resolved, exact } = continuationOf(
      [user('hi'), answer],
      [user('hi'), { role: 'assistant', content: 'hello' }],
    )
    expect({ resolved, exact }).toEqual({ resolved: [user('hi'), answer], exact: false })
  })

  test('an answer with a call counts as the same when the caller joined its text with that of a broken attempt', () => {
    const call = { type: 'tool_use', id: 'toolu_1', name: 'read', input: {} }
    const answer = assistant({ type: 'text', text: 'Step two.' }, call)
    const joined = assistant({ type: 'text', text: 'Step tStep two.' }, call)
    const { kept, resolved } = continuationOf([user('hi'), answer], [user('hi'), joined, user('next')])
    expect({ kept, resolved }).toEqual({ kept: 2, resolved: [user('hi'), answer, user('next')] })
    const withoutCall = [user('hi'), assistant({ type: 'text', text: 'Step two.' })]
    expect(continuationOf(withoutCall, [user('hi'), assistant({ type: 'text', text: 'Step tStep two.' })]).kept).toBe(1)
  })
})
