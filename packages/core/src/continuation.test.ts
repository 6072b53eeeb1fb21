import { describe, expect, test } from 'vitest'
import { continuationOf } from './continuation.ts'
import type { Message } from './journal.ts'

const user = (content: Message['content']): Message => ({ role: 'user', content })
const assistant = (...content: { type: string; [key: string]: unknown }[]): Message => ({ role: 'assistant', content })
const recorded = [user('hi'), assistant({ type: 'text', text: 'hello' })]

describe('continuationOf', () => {
  test('more messages after the recorded ones extend the conversation', () => {
    const added = user('go on')
    expect(continuationOf(recorded, [...recorded, added])).toEqual({ kind: 'extends', added: [added], exact: true })
  })

  test('cache markers, key order and the short form of text do not matter', () => {
    const incoming = [
      user([{ cache_control: { type: 'ephemeral' }, text: 'hi', type: 'text' }]),
      assistant({ text: 'hello', type: 'text' }),
    ]
    expect(continuationOf(recorded, incoming)).toMatchObject({ kind: 'extends', added: [], exact: true })
  })

  test('an edited message rewinds to the one before it', () => {
    expect(continuationOf(recorded, [user('hi'), assistant({ type: 'text', text: 'edited' })])).toMatchObject({
      kind: 'rewinds',
      kept: 1,
    })
  })

  test('a shorter history rewinds to its end: the caller asks for another answer', () => {
    expect(continuationOf(recorded, [user('hi')])).toEqual({ kind: 'rewinds', kept: 1, added: [], exact: true })
  })

  test('nothing in common is unrelated; before the first message everything extends', () => {
    expect(continuationOf(recorded, [user('Write a title for this')])).toEqual({ kind: 'unrelated' })
    expect(continuationOf([], [user('hi')])).toEqual({ kind: 'extends', added: [user('hi')], exact: true })
  })

  test('blocks of a broken attempt before the recorded answer count as the same, but are not sent on', () => {
    const seen = assistant(
      { type: 'thinking', thinking: 'h' },
      { type: 'text', text: 'hel' },
      { type: 'text', text: 'hello' },
    )
    const continuation = continuationOf(recorded, [user('hi'), seen, user('next')])
    expect(continuation).toEqual({ kind: 'extends', added: [user('next')], exact: false })
  })

  test('an answer whose thinking the caller left out counts as the same', () => {
    const thought = [
      user('hi'),
      assistant({ type: 'thinking', thinking: 'x' }, { type: 'text', text: 'hello', citations: null }),
    ]
    expect(continuationOf(thought, [user('hi'), { role: 'assistant', content: 'hello' }])).toMatchObject({
      kind: 'extends',
      exact: false,
    })
  })
})
