import { describe, expect, test } from 'vitest'
import type { Block, Message } from '../../journal/journal.ts'
import { assistant, call, result, text, user } from './cases.fixture.ts'
import { mendedBy } from './mended.fixture.ts'
import { compactions, fallbacks, references, serverPairs } from './server-blocks.ts'

const [hi, go] = [user('hi'), user('go')]
const search: Block = { type: 'server_tool_use', id: 's', name: 'web_search', input: {} }
const found: Block = { type: 'web_search_tool_result', tool_use_id: 's', content: [] }
const thinking: Block = { type: 'thinking', thinking: 'x', signature: 's' }
const [asks, told] = [assistant(search, call('a')), user([result('a')])]

describe('a call of the server', () => {
  const declared = { model: 'm', tools: [{ type: 'web_search_20250305', name: 'web_search' }] }
  const mended = (messages: Message[], stopReason?: string, params: object = declared) =>
    mendedBy(serverPairs, messages, { ...params }, { stopReason })

  test.each<[claim: string, messages: Message[], stopReason?: string]>([
    ['has its result at once', [hi, assistant(search, found, text('ok')), go]],
    ['has its result in the next message of the same answer', [hi, assistant(search), assistant(found), go]],
    [
      'has its result at the end of an answer of three',
      [hi, assistant(text('so')), assistant(search), assistant(found), go],
    ],
    ['is paused', [hi, assistant(text('ok'), search)]],
    ['is paused before other blocks', [hi, assistant(search, text('ok'))], 'pause_turn'],
    ['waits for results', [hi, asks, told]],
    ['waits for results that come one by one', [hi, asks, user([result('a')]), user([result('b')])]],
    ['has waited for results', [hi, asks, told, assistant(found, text('ok')), go]],
    ['has waited for results, in an answer of two messages', [hi, asks, told, assistant(text('so')), assistant(found)]],
  ])('stays where it %s', (_claim, messages, stopReason) => {
    expect(mended(messages, stopReason)).toMatchObject({ isSame: true })
  })

  test.each<[claim: string, messages: Message[], left: Message[], removed: Block[]]>([
    ['nobody calls a tool', [hi, assistant(search), go], [hi, assistant(text('(no text)')), go], [search]],
    [
      'nothing but thinking is left',
      [hi, assistant(thinking, search), go],
      [hi, assistant(thinking, text('(no text)')), go],
      [search],
    ],
    [
      'the next answer has no result',
      [hi, asks, told, assistant(text('ok')), go],
      [hi, assistant(call('a')), told, assistant(text('ok')), go],
      [search],
    ],
    [
      'the result comes after other words',
      [hi, asks, user([result('a'), text('go')]), assistant(found, text('ok')), go],
      [hi, assistant(call('a')), user([result('a'), text('go')]), assistant(text('ok')), go],
      [search, found],
    ],
    ['the answer is over', [hi, assistant(search, text('ok'))], [hi, assistant(text('ok'))], [search]],
    [
      'another answer came after the pause',
      [hi, assistant(text('so'), search), assistant(text('ok'))],
      [hi, assistant(text('so')), assistant(text('ok'))],
      [search],
    ],
    [
      'the next answer has the result of another call',
      [hi, asks, told, assistant({ ...search, id: 't' }, { ...found, tool_use_id: 't' }), go],
      [hi, assistant(call('a')), told, assistant({ ...search, id: 't' }, { ...found, tool_use_id: 't' }), go],
      [search],
    ],
    [
      'its result was there before',
      [hi, assistant(search, found, call('a')), told, assistant(found, text('ok')), go],
      [hi, assistant(search, found, call('a')), told, assistant(text('ok')), go],
      [found],
    ],
    [
      'the next answer calls another tool',
      [hi, asks, told, assistant(call('b')), user([result('b')])],
      [hi, assistant(call('a')), told, assistant(call('b')), user([result('b')])],
      [search],
    ],
  ])('goes, and so does its result, where %s', (_claim, messages, left, removed) => {
    expect(mended(messages)).toMatchObject({ messages: left, removed })
  })

  test('that is open goes where the server would not go on with it: its tool is not declared', () => {
    const only = (name: unknown) => ({ model: 'm', tools: [{ name: 'read' }, { name }] })
    for (const messages of [
      [hi, asks, told],
      [hi, assistant(text('ok'), search)],
    ]) {
      expect(mended(messages, undefined, only('search_web'))).toMatchObject({ removed: [search] })
      expect(mended(messages, undefined, only('web'))).toMatchObject({ removed: [search] })
      expect(mended(messages, undefined, only(undefined))).toMatchObject({ removed: [search] })
      // `bash_code_execution` is a call of `code_execution`.
      expect(mended(messages, undefined, only('search'))).toMatchObject({ isSame: true })
      // Of a bare transcript the tools are not known, nor are those of an MCP server.
      expect(mended(messages, undefined, {})).toMatchObject({ isSame: true })
    }
    // Of a call that is over, the tool may be gone.
    const over = [hi, asks, told, assistant(found, text('ok')), go]
    expect(mended(over, undefined, only('read'))).toMatchObject({ isSame: true })
    const remote = assistant(text('ok'), { ...search, type: 'mcp_tool_use' })
    expect(mended([hi, remote], undefined, only('read'))).toMatchObject({ isSame: true })
  })
})

describe('what a block refers to', () => {
  const mended = (block: Block, params = {}) => mendedBy(references, [hi, assistant(search, found, block), go], params)
  const by = (caller: unknown): Block => ({ ...call('a'), caller })

  test('as its caller is a call that is there, or none', () => {
    expect(mended(by({ type: 'direct' }))).toMatchObject({ isSame: true })
    expect(mended(by({ type: 'code', tool_id: 's' }))).toMatchObject({ isSame: true })
    // The result of a call has the same id; it is no caller.
    const gone = mendedBy(references, [hi, assistant(by({ tool_id: 'b' })), user([result('a'), result('b')])])
    expect(gone.messages[1]).toEqual(assistant(call('a')))
    expect(gone.places).toEqual([1])
  })

  test('as a tool is declared, where all tools are known', () => {
    const reference: Block = { type: 'tool_reference', tool_name: 'gone' }
    const { messages, removed, places } = mended(reference, { tools: [{ name: 'read' }] })
    expect(messages[1]).toEqual(assistant(search, found, { type: 'text', text: expect.any(String) }))
    expect([removed, places]).toEqual([[reference], [1]])
    for (const params of [{}, { tools: [{ name: 'gone' }] }, { tools: [{ name: 'read' }, { type: 'mcp_toolset' }] }]) {
      expect(mended(reference, params)).toMatchObject({ isSame: true })
    }
    expect(mended(reference, { tools: [{ name: 'read' }], mcp_servers: [] })).toMatchObject({ isSame: true })
  })
})

test('a compaction that was asked for comes first and has content; one that the server made stands where it was made', () => {
  const asked: Block = { type: 'compaction', content: 'so far', signature: 's' }
  const made: Block = { type: 'compaction', content: 'so far', encrypted_content: 'x' }
  const removedFrom = (...messages: Message[]) => mendedBy(compactions, messages).removed
  expect(removedFrom(assistant(asked, text('ok')), go)).toEqual([])
  expect(removedFrom(assistant({ ...asked, content: '' }, text('ok')), go)).toHaveLength(1)
  expect(removedFrom(assistant(text('ok'), asked), go)).toEqual([asked])
  expect(removedFrom(hi, assistant(asked), go)).toEqual([asked])
  expect(removedFrom(hi, assistant(made), go)).toEqual([])
  // As the pages of the API show it: https://platform.claude.com/docs/en/build-with-claude/compaction-threshold
  expect(removedFrom(hi, assistant({ type: 'compaction', content: 'so far' }), go)).toEqual([])
  expect(removedFrom(hi, assistant({ ...made, encrypted_content: null }), go)).toEqual([])
  expect(removedFrom(hi, assistant({ ...made, content: '' }), go)).toHaveLength(1)
  expect(removedFrom(hi, assistant({ ...made, signature: 's' }), go)).toHaveLength(1)
  expect(removedFrom(hi, assistant({ ...made, content: null }), go)).toEqual([])
})

test('before the mark of the last model, only what the others said stays', () => {
  const mark: Block = { type: 'fallback' }
  const answer = assistant(thinking, text('a'), mark, call('a'), text('b'), mark, { ...thinking }, call('b'))
  const { messages, removed } = mendedBy(fallbacks, [hi, answer])
  expect(messages[1]).toEqual(assistant(text('a'), mark, text('b'), mark, { ...thinking }, call('b')))
  expect(removed).toEqual([thinking, call('a')])
})
