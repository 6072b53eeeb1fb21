/** What is done about fields and blocks that the API does not know, as data, like `refused-cases.fixture.ts`. */
import type { Message } from '../../journal/journal.ts'
import { png } from '../request/images.fixture.ts'
import {
  type RequestCase,
  assistant,
  call,
  params,
  result,
  talk,
  text,
  tool,
  user,
} from '../request/request-case.fixture.ts'

const resource = { type: 'resource', resource: { uri: 'file:///a', text: 'a file' } }
const detailed = (message: Message): Message => ({ ...message, reasoning_details: [] }) as Message
const marked = { ...text('a'), cache_control: { type: 'ephemeral' } }
const eager = (name: string) => ({ ...tool(name), eager_input_streaming: true })
const scoped = { ...marked, cache_control: { type: 'ephemeral', scope: 'global' } }

const search = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} }
const found = { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] }
const cited = { ...text('So.'), citations: [{ type: 'web_search_result_location', encrypted_index: 'i' }] }

export const refusedFields: readonly RequestCase[] = [
  {
    row: 11,
    rule: 'drop-field',
    claim: 'a setting that the API does not know is left out of this and every further request',
    as: 'drop-field:speed',
    refusal: { message: 'speed: Extra inputs are not permitted', paths: ['speed'] },
    in: { params: { ...params, speed: 'fast' } },
    out: { params },
  },
  {
    row: 11,
    rule: 'drop-field',
    claim: 'a field of a tool is left out of all tools of its type, of which the API names one at a time',
    as: 'drop-field:tools.0.custom.eager_input_streaming',
    refusal: {
      message: 'tools.0.custom.eager_input_streaming: Extra inputs are not permitted',
      paths: ['tools.0.custom.eager_input_streaming'],
    },
    in: {
      params: { ...params, tools: [eager('read'), eager('edit'), { ...eager('search'), type: 'search_20260101' }] },
    },
    out: {
      params: { ...params, tools: [tool('read'), tool('edit'), { ...eager('search'), type: 'search_20260101' }] },
    },
  },
  {
    row: 11,
    rule: 'drop-field',
    claim: 'a field that the API does not know is left out of the block that the API named',
    as: 'drop-field:messages.1.content.0.text.flavour',
    refusal: {
      message: 'messages.1.content.0.text.flavour: Extra inputs are not permitted',
      paths: ['messages.1.content.0.text.flavour'],
    },
    in: { messages: [talk[0]!, assistant({ ...text('Looking.'), flavour: 1 }, call()), talk[2]!] },
    out: { messages: talk },
  },
  {
    row: 11,
    rule: 'drop-field',
    claim: 'also a field whose name is not a word',
    as: 'drop-field:messages.1.content.0.text.$id',
    refusal: {
      message: 'messages.1.content.0.text.$id: Extra inputs are not permitted',
      paths: ['messages.1.content.0.text.$id'],
    },
    in: { messages: [talk[0]!, assistant({ ...text('Looking.'), $id: 1 }, call()), talk[2]!] },
    out: { messages: talk },
  },
  {
    row: 11,
    rule: 'drop-field',
    claim: 'and from all blocks of its type, of which the API names one at a time',
    as: 'drop-field:messages.0.content.0.text.cache_control.ephemeral.scope',
    refusal: {
      message: 'messages.0.content.0.text.cache_control.ephemeral.scope: Extra inputs are not permitted',
      paths: ['messages.0.content.0.text.cache_control.ephemeral.scope'],
    },
    in: { messages: [user(scoped, text('b')), assistant(text('c')), user(text('d'), scoped)] },
    out: { messages: [user(marked, text('b')), assistant(text('c')), user(text('d'), marked)] },
  },
  {
    row: 11,
    rule: 'drop-field',
    claim: 'a field of messages from all of them',
    as: 'drop-field:messages.0.reasoning_details',
    refusal: {
      message: 'messages.0.reasoning_details: Extra inputs are not permitted',
      paths: ['messages.0.reasoning_details'],
    },
    in: { messages: [detailed(user(text('a'))), assistant(text('b')), detailed(user(text('c')))] },
    out: { messages: [user(text('a')), assistant(text('b')), user(text('c'))] },
  },
  {
    row: 11,
    rule: 'drop-field',
    claim: 'inside a tool result too',
    as: 'drop-field:messages.2.content.0.tool_result.content.0.text.flavour',
    refusal: {
      message: 'messages.2.content.0.tool_result.content.0.text.flavour: Extra inputs are not permitted',
      paths: ['messages.2.content.0.tool_result.content.0.text.flavour'],
    },
    in: { messages: [...talk.slice(0, 2), user(result([{ ...text('a file'), flavour: 1 }]))] },
    out: { messages: [...talk.slice(0, 2), user(result([text('a file')]))] },
  },
  {
    row: 11,
    rule: 'block-as-text',
    claim: "blocks in a tool's result of a type that the API does not know become text, all of that type",
    as: 'block-type-as-text:resource',
    refusal: {
      message:
        "messages.2.content.0.tool_result.content.1: Input tag 'resource' found using 'type' does not match any of the expected tags: 'text'",
      paths: ['messages.2.content.0.tool_result.content.1'],
    },
    in: { messages: [...talk.slice(0, 2), user(result([text('a'), { type: 'resource', uri: 'b' }, resource]))] },
    out: {
      messages: [
        ...talk.slice(0, 2),
        user(result([text('a'), text('{"type":"resource","uri":"b"}'), text(JSON.stringify(resource))])),
      ],
    },
  },
  {
    row: 11,
    rule: 'block-as-text',
    claim: 'so does one that lacks a field, without the data that nobody reads',
    as: 'block-as-text:messages.2.content.0.tool_result.content.0',
    refusal: {
      message: 'messages.2.content.0.tool_result.content.0.image.source: Field required',
      paths: ['messages.2.content.0.tool_result.content.0.image.source'],
    },
    in: { messages: [...talk.slice(0, 2), user(result([{ type: 'image', data: 'A'.repeat(2_000) }, png(9, 9)]))] },
    out: {
      messages: [
        ...talk.slice(0, 2),
        user(result([text('{"type":"image","data":"[2000 characters of data left out]"}'), png(9, 9)])),
      ],
    },
  },
  {
    row: 11,
    rule: 'block-type-as-text',
    claim: 'the same in every further result',
    as: 'block-type-as-text:resource',
    refusal: {
      message:
        "messages.2.content.0.tool_result.content.0: Input tag 'resource' found using 'type' does not match any of the expected tags: 'text'",
      paths: ['messages.2.content.0.tool_result.content.0'],
    },
    in: { messages: [...talk.slice(0, 2), user(result([resource]))] },
    out: { messages: [...talk.slice(0, 2), user(result([text(JSON.stringify(resource))]))] },
  },
  {
    row: 29,
    rule: 'unreadable-results',
    claim: 'results that were encrypted for another organisation become text, without their calls and citations',
    refusal: { message: 'messages.1.content.1: Invalid `encrypted_content` in `search_result` block' },
    in: {
      messages: [
        user(text('a')),
        assistant(
          search,
          { ...found, content: [{ title: 'T', url: 'https://t.example', encrypted_content: 'e' }] },
          cited,
        ),
        user(text('b')),
        assistant({ ...search, id: 'srvtoolu_2' }, { ...found, tool_use_id: 'srvtoolu_2' }, text('None.')),
        user(text('c')),
      ],
    },
    out: {
      messages: [
        user(text('a')),
        assistant(text('[the result of web_search cannot be read any more]\nT https://t.example'), text('So.')),
        user(text('b')),
        assistant({ ...search, id: 'srvtoolu_2' }, { ...found, tool_use_id: 'srvtoolu_2' }, text('None.')),
        user(text('c')),
      ],
    },
  },
]
