import { describe, expect, test } from 'vitest'
import type { Block, Message } from '../../journal/journal.ts'
import { inDoubtResult } from '../../journal/transcript.ts'
import { assistant, call, result, text, user } from './cases.fixture.ts'
import { mendedBy } from './mended.fixture.ts'
import { callsLast, results, uniqueCalls } from './pairs.ts'

const [hi, go] = [user('hi'), user('go')]
const setsEffort: Message = { role: 'system', content: [], output_config: { effort: 'low' } }
const thinking: Block = { type: 'thinking', thinking: 'x', signature: 's' }

test('of a call that is repeated the first stays, and so does what the answers say', () => {
  const answers = [assistant(text('a'), call('a'), call('a', { again: 1 })), assistant(thinking, call('a'))]
  const { messages, removed, places } = mendedBy(uniqueCalls, [hi, ...answers, assistant(text('b'), call('a')), go])
  expect(messages).toEqual([hi, assistant(text('a'), call('a')), assistant(text('b')), go])
  expect(removed).toEqual([call('a', { again: 1 }), call('a'), call('a')])
  expect(places).toEqual([1, 2, 3])
})

test('calls of the server, and calls in the next message of the same answer, may follow a call', () => {
  const search: Block = { type: 'server_tool_use', id: 's', name: 'web_search', input: {} }
  const answer = assistant(call('a'), search, text('so'))
  expect(mendedBy(callsLast, [hi, answer])).toMatchObject({
    messages: [hi, assistant(call('a'), search)],
    removed: [text('so')],
  })
  const isSame = (...next: Block[]) => mendedBy(callsLast, [hi, answer, assistant(...next)]).isSame
  expect([isSame(call('b')), isSame(text('ok')), isSame(thinking, call('b'))]).toEqual([true, false, false])
})

describe('the results of calls', () => {
  test.each<[claim: string, given: Message[], mended?: Message[], removed?: Block[]]>([
    ['are in any order', [hi, assistant(call('a'), call('b')), user([result('b'), result('a'), text('go')])]],
    [
      'come after all messages of an answer',
      [hi, assistant(call('a')), assistant(text('and')), assistant(call('b')), user([result('a'), result('b')])],
    ],
    [
      'are not mixed with those of another answer',
      [hi, assistant(call('a')), assistant(thinking, call('b')), user([result('a'), result('b')])],
      [hi, assistant(call('a')), user([result('a')]), assistant(thinking, call('b')), user([result('b')])],
    ],
    [
      'that came too late are moved, and what was said beside them stays',
      [hi, assistant(call('a')), go, assistant(text('ok')), user([text('so'), result('a')])],
      [hi, assistant(call('a')), user([result('a'), text('go')]), assistant(text('ok')), user([text('so')])],
    ],
    [
      'that came too late are moved, and leave no empty message',
      [hi, assistant(call('a'), call('b')), user([result('a')]), user([result('b')]), go],
      [hi, assistant(call('a'), call('b')), user([result('a'), result('b')]), go],
    ],
    [
      'that came too early are moved',
      [user([text('hi'), result('a')]), assistant(call('a')), go],
      [user([text('hi')]), assistant(call('a')), user([result('a'), text('go')])],
    ],
    [
      'are each there once, the one in its place rather than another',
      [user([text('hi'), result('a', 'early')]), assistant(call('a')), user([result('a', 'own'), result('a', 'two')])],
      [user([text('hi')]), assistant(call('a')), user([result('a', 'own')])],
      [result('a', 'early'), result('a', 'two')],
    ],
    [
      'are each there once, also where none is in its place',
      [hi, assistant(call('a')), assistant(text('ok')), user([result('a', 'one'), result('a', 'two'), text('go')])],
      [hi, assistant(call('a')), user([result('a', 'one')]), assistant(text('ok')), user([text('go')])],
      [result('a', 'two')],
    ],
    [
      'that are nowhere are in doubt, in the place of each call',
      [hi, assistant(call('a')), assistant(text('ok')), go, assistant(call('b'))],
      [
        hi,
        assistant(call('a')),
        user([inDoubtResult('a')]),
        assistant(text('ok')),
        go,
        assistant(call('b')),
        user([inDoubtResult('b')]),
      ],
    ],
    [
      'are mended beside a message that only sets the effort, which stays',
      [hi, setsEffort, assistant(call('a'))],
      [hi, setsEffort, assistant(call('a')), user([inDoubtResult('a')])],
    ],
    [
      'of another id are none',
      [hi, assistant(call('a')), user([result('b')]), go],
      [hi, assistant(call('a')), user([inDoubtResult('a'), text('(result of an earlier call) of b')]), go],
      [result('b')],
    ],
  ])('%s', (_claim, given, mended, removed = []) => {
    const outcome = mendedBy(results, given)
    expect(outcome).toMatchObject(mended ? { messages: mended, removed } : { isSame: true })
    // One look is enough, and every change has a place.
    expect(mendedBy(results, outcome.messages)).toMatchObject({ isSame: true })
    for (const place of outcome.places) expect(given[place!]).toBeDefined()
  })
})
