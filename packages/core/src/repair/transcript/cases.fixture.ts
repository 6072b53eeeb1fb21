/** Every rule for transcripts, by example: what would be refused, and what is sent instead. */
import type { Block, Message } from '../../journal/journal.ts'
import { inDoubtResult } from '../../journal/transcript.ts'

export interface TranscriptCase {
  /** Row of the invariant in docs/repairs.md. */
  readonly row: number
  readonly rule: string
  readonly claim: string
  readonly model?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly stopReason?: string
  readonly messages: readonly Message[]
  readonly repaired: readonly Message[]
  /** Params of the whole request, where a repair changes them. */
  readonly repairedParams?: Readonly<Record<string, unknown>>
}

export const user = (content: Message['content']): Message => ({ role: 'user', content })
export const assistant = (...content: Block[]): Message => ({ role: 'assistant', content })
const system = (content: string): Message => ({ role: 'system', content })
export const text = (said: string): Block => ({ type: 'text', text: said })
export const call = (id: string, input: unknown = {}): Block => ({ type: 'tool_use', id, name: 'read', input })
export const result = (id: string, content = `of ${id}`): Block => ({ type: 'tool_result', tool_use_id: id, content })
const search = (id: string): Block => ({ type: 'server_tool_use', id, name: 'web_search', input: {} })
const found = (id: string): Block => ({ type: 'web_search_tool_result', tool_use_id: id, content: [] })
const toolSearch: Block = { type: 'server_tool_use', id: 's', name: 'tool_search_tool_regex', input: {} }
const toolsFound = (...names: string[]): Block => ({
  type: 'tool_search_tool_result',
  tool_use_id: 's',
  content: {
    type: 'tool_search_tool_search_result',
    tool_references: names.map((name) => ({ type: 'tool_reference', tool_name: name })),
  },
})
const lead = user('(The beginning of this conversation is not there any more.)')

const hi = user('hi')
const end = user('and now?')

export const transcriptCases: readonly TranscriptCase[] = [
  {
    row: 1,
    rule: 'results',
    claim: 'a call without a result gets one that says that its outcome is unknown',
    messages: [hi, assistant(call('a'))],
    repaired: [hi, assistant(call('a')), user([inDoubtResult('a')])],
  },
  {
    row: 1,
    rule: 'results',
    claim: 'a call without a result in the middle of the conversation is answered in its place',
    messages: [hi, assistant(call('a'), call('b')), user([result('a')]), assistant(text('so')), end],
    repaired: [
      hi,
      assistant(call('a'), call('b')),
      user([result('a'), inDoubtResult('b')]),
      assistant(text('so')),
      end,
    ],
  },
  {
    row: 2,
    rule: 'results',
    claim: 'results in two messages are merged into the first',
    messages: [hi, assistant(call('a'), call('b')), user([result('a')]), user([result('b'), text('go on')])],
    repaired: [hi, assistant(call('a'), call('b')), user([result('a'), result('b')]), user([text('go on')])],
  },
  {
    row: 3,
    rule: 'results',
    claim: 'results go before what the user said with them',
    messages: [hi, assistant(call('a')), user([text('look'), result('a')])],
    repaired: [hi, assistant(call('a')), user([result('a'), text('look')])],
  },
  {
    row: 4,
    rule: 'calls-last',
    claim: 'everything after a call is left out',
    messages: [hi, assistant(text('let me'), call('a'), text('done')), user([result('a')])],
    repaired: [hi, assistant(text('let me'), call('a')), user([result('a')])],
  },
  {
    row: 5,
    rule: 'results',
    claim: 'a result without a call becomes text',
    messages: [user([result('gone', 'the weather is fine'), text('hi')])],
    repaired: [user([text('(result of an earlier call) the weather is fine'), text('hi')])],
  },
  {
    row: 5,
    rule: 'results',
    claim: 'a result in another place moves to its call',
    messages: [hi, assistant(call('a')), assistant(text('so')), user([result('a'), text('next')])],
    repaired: [hi, assistant(call('a')), user([result('a')]), assistant(text('so')), user([text('next')])],
  },
  {
    row: 5,
    rule: 'places',
    claim: 'a result in an answer moves to the user message after it',
    messages: [hi, assistant(call('a'), result('a')), end],
    repaired: [hi, assistant(call('a')), user([result('a')]), end],
  },
  {
    row: 6,
    rule: 'unique-calls',
    claim: 'a duplicated turn is sent once',
    messages: [hi, assistant(call('a')), user([result('a')]), assistant(call('a')), user([result('a')]), end],
    repaired: [hi, assistant(call('a')), user([result('a')]), end],
  },
  {
    row: 7,
    rule: 'results',
    claim: 'of two results of one call, the first stays',
    messages: [hi, assistant(call('a')), user([result('a', 'one'), result('a', 'two')])],
    repaired: [hi, assistant(call('a')), user([result('a', 'one')])],
  },
  {
    row: 8,
    rule: 'call-ids',
    claim: 'ids of another provider are rewritten in the call and its result',
    messages: [hi, assistant(call('call|a/1')), user([result('call|a/1')])],
    repaired: [hi, assistant(call('call_a_1')), user([result('call_a_1', 'of call|a/1')])],
  },
  {
    row: 9,
    rule: 'call-names',
    claim: 'a command in place of a tool name becomes text before the call',
    params: { tools: [{ name: 'read', input_schema: { type: 'object' } }] },
    messages: [hi, assistant({ ...call('a'), name: `read ${'x'.repeat(200)}` }), user([result('a')])],
    repaired: [
      hi,
      assistant(text(`(The name of the next call was: read ${'x'.repeat(200)})`), call('a')),
      user([result('a')]),
    ],
  },
  {
    row: 10,
    rule: 'call-inputs',
    claim: 'an input that is not an object is wrapped in one',
    messages: [hi, assistant(call('a', '{"pa'), call('b', null)), user([result('a'), result('b')])],
    repaired: [hi, assistant(call('a', { raw: '{"pa' }), call('b', {})), user([result('a'), result('b')])],
  },
  {
    row: 12,
    rule: 'empty-text',
    claim: 'blank text is left out, and a message without anything else is repaired',
    messages: [hi, assistant(text(' \n'), text('ok')), user(''), assistant(text('')), end],
    repaired: [hi, assistant(text('ok')), user('(no content)'), end],
  },
  {
    row: 12,
    rule: 'empty-text',
    claim: 'blank text of the system prompt is left out, and its cache marker goes to the text before it',
    params: { system: [text('Be brief.'), { ...text(' \n'), cache_control: { type: 'ephemeral' } }] },
    messages: [user('hi')],
    repaired: [user('hi')],
    repairedParams: { system: [{ ...text('Be brief.'), cache_control: { type: 'ephemeral' } }] },
  },
  {
    row: 13,
    rule: 'first-user',
    claim: 'a user message is put before an answer that comes first',
    messages: [assistant(text('as I said')), end],
    repaired: [lead, assistant(text('as I said')), end],
  },
  {
    row: 14,
    rule: 'known-roles',
    claim: 'roles of other providers become those of the API',
    messages: [hi, { role: 'model', content: 'hello' }, { role: 'human', content: 'and now?' }],
    repaired: [hi, { role: 'assistant', content: 'hello' }, end],
  },
  {
    row: 15,
    rule: 'system-places',
    claim: 'a system message before the first message becomes a user message',
    messages: [system('it is night'), hi],
    repaired: [user([text('<system-note>\nit is night\n</system-note>')]), hi],
  },
  {
    row: 15,
    rule: 'system-places',
    claim: 'and so does every system message for a model that takes none',
    model: 'claude-sonnet-4-5',
    messages: [hi, system('it is night'), assistant(text('ok')), end],
    repaired: [hi, user([text('<system-note>\nit is night\n</system-note>')]), assistant(text('ok')), end],
  },
  {
    row: 16,
    rule: 'last-text',
    claim: 'an answer that the model continues loses the white space at its end',
    model: 'claude-sonnet-4-5',
    messages: [hi, { role: 'assistant', content: 'The answer is ' }],
    repaired: [hi, { role: 'assistant', content: 'The answer is' }],
  },
  {
    row: 17,
    rule: 'last-message',
    claim: 'a model that cannot continue its own answer is asked to continue',
    messages: [hi, assistant(text('The answer is'))],
    repaired: [
      hi,
      assistant(text('The answer is')),
      user('Your previous response was interrupted and ended with "The answer is". Continue from where you left off.'),
    ],
  },
  {
    row: 19,
    rule: 'signed-thinking',
    claim: 'if thinking was cut before its signature, all thinking is left out',
    messages: [
      hi,
      assistant({ type: 'thinking', thinking: 'one', signature: 'sig' }, text('ok')),
      end,
      assistant({ type: 'thinking', thinking: 'tw', signature: '' }, text('so')),
      end,
    ],
    repaired: [hi, assistant(text('ok')), end, assistant(text('so')), end],
  },
  {
    row: 21,
    rule: 'thinking-first',
    claim: 'thinking is off while the open turn does not begin with it',
    model: 'claude-sonnet-4-5',
    params: { max_tokens: 4_000, thinking: { type: 'enabled', budget_tokens: 1_024 } },
    messages: [hi, assistant(call('a')), user([result('a')])],
    repaired: [hi, assistant(call('a')), user([result('a')])],
    repairedParams: { max_tokens: 4_000, thinking: { type: 'disabled' } },
  },
  {
    row: 22,
    rule: 'last-thinking',
    claim: 'if thinking is disabled, the answer that the model continues has none',
    model: 'claude-sonnet-4-5',
    messages: [hi, assistant({ type: 'thinking', thinking: 'one', signature: 'sig' }, text('The answer'))],
    repaired: [hi, assistant(text('The answer'))],
  },
  {
    row: 25,
    rule: 'server-pairs',
    claim: 'half a pair of a server tool is left out',
    messages: [hi, assistant(search('s'), text('found')), user('go'), assistant(found('gone'), text('so')), end],
    repaired: [hi, assistant(text('found')), user('go'), assistant(text('so')), end],
  },
  {
    row: 25,
    rule: 'server-pairs',
    claim: 'a duplicate pair of a server tool, in the wrong order, is left out',
    messages: [
      hi,
      assistant(search('s'), found('s'), call('a')),
      user([result('a')]),
      assistant(found('s'), search('s'), text('so')),
      end,
    ],
    repaired: [hi, assistant(search('s'), found('s'), call('a')), user([result('a')]), assistant(text('so')), end],
  },
  {
    row: 26,
    rule: 'server-pairs',
    claim: 'a server tool that waits for results is left out if they came together with something else',
    messages: [hi, assistant(call('a'), search('s')), user([result('a'), text('hurry')])],
    repaired: [hi, assistant(call('a')), user([result('a'), text('hurry')])],
  },
  {
    row: 25,
    rule: 'places',
    claim: 'server tool blocks are left out of user messages',
    messages: [user([text('hi'), search('s')]), assistant(text('ok')), end],
    repaired: [user([text('hi')]), assistant(text('ok')), end],
  },
  {
    row: 26,
    rule: 'server-pairs',
    claim: 'a server tool that waits is left out if it is no longer declared',
    params: { tools: [{ name: 'read', input_schema: { type: 'object' } }] },
    messages: [hi, assistant(call('a'), search('s')), user([result('a')])],
    repaired: [hi, assistant(call('a')), user([result('a')])],
  },
  {
    row: 27,
    rule: 'paused-last',
    claim: 'an empty message after a paused answer is left out, so that the server continues',
    params: { tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
    stopReason: 'pause_turn',
    messages: [hi, assistant(text('let me see'), search('s')), user(' ')],
    repaired: [hi, assistant(text('let me see'), search('s'))],
  },
  {
    row: 29,
    rule: 'references',
    claim: 'a tool that no longer exists is left out of search results',
    params: { tools: [{ name: 'read', input_schema: { type: 'object' } }] },
    messages: [hi, assistant(toolSearch, toolsFound('read', 'gone'), text('so')), end],
    repaired: [hi, assistant(toolSearch, toolsFound('read'), text('so')), end],
  },
  {
    row: 29,
    rule: 'references',
    claim: 'the reference to a caller that no longer exists is left out',
    messages: [hi, assistant({ ...call('a'), caller: { type: 'code', tool_id: 'gone' } }), user([result('a')])],
    repaired: [hi, assistant(call('a')), user([result('a')])],
  },
  {
    row: 33,
    rule: 'documents',
    claim: 'a document in an answer becomes text that says so',
    messages: [hi, assistant({ type: 'document', source: {} }, text('ok')), end],
    repaired: [hi, assistant(text('[document left out: not taken in answers]'), text('ok')), end],
  },
  {
    row: 37,
    rule: 'unicode',
    claim: 'half a surrogate pair becomes the replacement character',
    messages: [user('half \ud83d')],
    repaired: [user('half \ufffd')],
  },
  {
    row: 37,
    rule: 'unicode',
    claim: 'also in the system prompt and in tools',
    params: {
      system: 'half \ud83d',
      tools: [{ name: 'read', description: '\ude00', input_schema: { type: 'object' } }],
    },
    messages: [hi],
    repaired: [hi],
    repairedParams: {
      system: 'half \ufffd',
      tools: [{ name: 'read', description: '\ufffd', input_schema: { type: 'object' } }],
    },
  },
  {
    row: 40,
    rule: 'compactions',
    claim: 'a compaction that does not come first is left out: what it summarises is still there',
    messages: [hi, assistant({ type: 'compaction', content: 'we said hi', signature: 's' }, text('ok')), end],
    repaired: [hi, assistant(text('ok')), end],
  },
  {
    row: 42,
    rule: 'fallbacks',
    claim: 'calls of the model that declined are left out',
    messages: [hi, assistant(call('a'), { type: 'fallback' }, text('ok')), end],
    repaired: [hi, assistant({ type: 'fallback' }, text('ok')), end],
  },
]
