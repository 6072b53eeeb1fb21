/** Rows 19, 21 and 25 to 29: answers that came whole but are not what was asked for. */
import { callBlock, ended, event, started, textBlock } from '../support/scripted-api.ts'
import {
  again,
  fellBack,
  inBand,
  invalid,
  kept,
  mended,
  parked,
  stream,
  times,
  well,
  type FaultCase,
} from './fault-case.ts'

const filtered = invalid('Output blocked by content filtering policy')
const silent = stream(started(), ended('end_turn'))
const cutCall = stream(started(), callBlock(0, '{"n": 1, "wh'), ended('max_tokens'))
const badCall = stream(started(), callBlock(0, '{"n": 1,,', 'toolu_bad'), ended('tool_use'))
const compaction =
  event('content_block_start', { index: 0, content_block: { type: 'compaction', content: '', signature: 'c2ln' } }) +
  event('content_block_stop', { index: 0 })

export const answers: readonly FaultCase[] = [
  {
    row: 19,
    signal: '`stop_reason: model_context_window_exceeded`',
    claim: 'the answer counts up to the point where the window was full',
    served: [stream(started(), textBlock(0, 'So far.'), ended('model_context_window_exceeded'))],
    expect: {
      faults: [],
      caller: { says: 'So far.', stop: 'model_context_window_exceeded' },
      recorded: { content: [{ text: 'So far.' }] },
    },
  },
  {
    row: 19,
    signal: '`model_context_window_exceeded` inside a tool call',
    claim: 'the call that the window cut is taken out; the request is not sent again: the window would be just as full',
    served: [
      stream(
        started(),
        textBlock(0, 'So far.'),
        callBlock(1, '{"n":', 'toolu_half'),
        ended('model_context_window_exceeded'),
      ),
    ],
    expect: { faults: [], caller: { says: 'So far.', calls: [] }, unrecorded: ['toolu_half'] },
  },
  {
    row: 21,
    signal: '400 "Output blocked by content filtering policy"',
    claim: 'the filter is not deterministic: two re-sends, then parked with the advice to say it differently',
    served: times(3, filtered),
    expect: {
      faults: [
        again('output-filtered', 0, 1_000),
        again('output-filtered', 0, 2_000),
        parked('output-filtered', /Rephrase and resume, or rewind/),
      ],
      caller: { error: 'session-suspended' },
    },
  },
  {
    row: 21,
    signal: '400 "Output blocked by content filtering policy", with a ladder',
    claim: 'after two re-sends another model may try',
    served: times(3, filtered),
    given: { ladder: ['claude-sonnet-5-5'] },
    expect: {
      faults: [again('output-filtered', 0, 1_000), again('output-filtered', 0, 2_000), fellBack('output-filtered')],
      caller: well,
      sent: { model: 'claude-sonnet-5-5' },
    },
  },
  {
    row: 21,
    signal: 'the filter inside a stream, after a complete tool call',
    claim: 'complete calls stay although the filter stopped what came after them',
    served: [
      stream(
        started(),
        callBlock(0, '{"n":1}', 'toolu_1'),
        inBand('invalid_request_error', 'Output blocked by content filtering policy'),
      ),
    ],
    expect: {
      faults: [kept('output-filtered')],
      caller: { says: '', stop: 'tool_use', calls: [{ id: 'toolu_1', input: { n: 1 } }] },
    },
  },
  {
    row: 25,
    signal: '`stop_reason: refusal`',
    claim: 'a refusal is handed out once and never retried: the check would read the same conversation',
    served: [stream(started(), textBlock(0, 'I star'), ended('refusal'))],
    expect: { faults: [], caller: { says: 'I star', stop: 'refusal' }, entries: ['response-received'] },
  },
  {
    row: 25,
    signal: '`stop_reason: refusal` after a tool call',
    claim: 'no call of a refused answer is handed out',
    served: [stream(started(), textBlock(0, 'I star'), callBlock(1, '{"n":1}', 'toolu_no'), ended('refusal'))],
    expect: { faults: [], caller: { says: 'I star', stop: 'refusal', calls: [] }, unrecorded: ['toolu_no'] },
  },
  {
    row: 26,
    signal: '`stop_reason: max_tokens` in a text',
    claim: 'a text that reached the limit counts',
    served: [stream(started(), textBlock(0, 'So far.'), ended('max_tokens'))],
    expect: {
      faults: [],
      caller: { says: 'So far.', stop: 'max_tokens' },
      recorded: { content: [{ text: 'So far.' }] },
    },
  },
  {
    row: 26,
    signal: '`max_tokens` inside the only tool call',
    claim: 'the half call is not committed: the request is sent again with more room',
    served: [cutCall],
    expect: {
      faults: [mended('output-cut', 'raise-max-tokens')],
      caller: { says: 'All is well.' },
      unrecorded: ['toolu_0'],
    },
  },
  {
    row: 26,
    signal: '`max_tokens` after a complete tool call',
    claim: 'complete calls before the cut are handed out',
    served: [
      stream(started(), callBlock(0, '{"n":1}', 'toolu_1'), callBlock(1, '{"n":', 'toolu_half'), ended('max_tokens')),
    ],
    expect: {
      faults: [],
      caller: { says: '', stop: 'max_tokens', calls: [{ id: 'toolu_1' }] },
      unrecorded: ['toolu_half'],
    },
  },
  {
    row: 26,
    signal: '`max_tokens` inside the only call, twice',
    claim: 'the room is raised once; then the answer counts without its call',
    served: times(2, cutCall),
    expect: {
      faults: [mended('output-cut', 'raise-max-tokens'), kept('output-cut')],
      caller: { says: '', stop: 'max_tokens', calls: [] },
      unrecorded: ['toolu_0'],
    },
  },
  {
    row: 36,
    signal: 'a call whose input is not JSON, once',
    claim: 'it is not handed out and its fault is named: the request is sent again',
    served: [badCall],
    expect: {
      faults: [
        again('broken-call', 0, 1_000, { fault: { message: 'an answer with a tool call whose input is not JSON' } }),
      ],
      caller: { says: 'All is well.' },
      unrecorded: ['toolu_bad'],
    },
  },
  {
    row: 36,
    signal: 'a call whose input is not JSON, each time',
    claim: 'a model that never writes a valid one is not paid for a day: two re-sends, then parked',
    served: times(3, badCall),
    expect: {
      faults: [
        again('broken-call', 0, 1_000),
        again('broken-call', 0, 2_000),
        parked('broken-call', /tool call that cannot be run/),
      ],
      caller: { error: 'session-suspended' },
    },
  },
  {
    row: 36,
    signal: 'a call whose input is not JSON, after a complete one',
    claim: 'complete calls before it are handed out',
    served: [
      stream(started(), callBlock(0, '{"n":1}', 'toolu_1'), callBlock(1, '{"n": 1,,', 'toolu_bad'), ended('tool_use')),
    ],
    expect: {
      faults: [kept('broken-call')],
      caller: { says: '', stop: 'tool_use', calls: [{ id: 'toolu_1', input: { n: 1 } }] },
      unrecorded: ['toolu_bad'],
    },
  },
  {
    row: 27,
    signal: '`stop_reason: pause_turn`',
    claim: 'a paused turn is recorded as it came, and the turn stays open',
    served: [stream(started(), textBlock(0, 'I search.'), ended('pause_turn'))],
    expect: {
      faults: [],
      caller: { says: 'I search.', stop: 'pause_turn' },
      recorded: { stop_reason: 'pause_turn', content: [{ text: 'I search.' }] },
    },
  },
  {
    row: 28,
    signal: '`end_turn` with empty content',
    claim: 'the same is not sent again: the model is asked to continue',
    served: [silent],
    expect: {
      faults: [mended('empty-answer', 'nudge')],
      caller: well,
      sent: { messages: [{ content: 'Hi.' }, { role: 'user', content: 'Please continue.' }] },
    },
  },
  {
    row: 28,
    signal: 'empty content, twice',
    claim: 'the model is asked once more; then the empty answer counts',
    served: times(2, silent),
    expect: {
      faults: [mended('empty-answer', 'nudge'), kept('empty-answer')],
      caller: { says: '', stop: 'end_turn' },
    },
  },
  {
    row: 29,
    signal: '`stop_reason: compaction`',
    claim: 'a compaction block is recorded as it came, and the turn goes on',
    served: [stream(started(), compaction, ended('compaction'))],
    expect: {
      faults: [],
      caller: { says: '', stop: 'compaction' },
      recorded: { stop_reason: 'compaction', content: [{ type: 'compaction', signature: 'c2ln' }] },
    },
  },
]
