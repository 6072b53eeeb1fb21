/** Rows 6 to 8: an answer began and broke off. Only its complete parts count. */
import { callBlock, ended, event, said, started, textBlock } from '../support/scripted-api.ts'
import { aCall, keptCalls, openCall, openText, openThought, serverCall, textAndCall, thought } from './answer-parts.ts'
import { again, broken, http, kept, stream, times, usedUp, well, type FaultCase } from './fault-case.ts'

/** Each break, inside a text and after a whole call. */
const breaks: readonly FaultCase[] = (
  [
    [6, 'stream-cut', 'reset', 'a reset (`ECONNRESET`)'],
    [6, 'stream-cut', 'close', 'a close inside a chunk (`UND_ERR_SOCKET`)'],
    [8, 'stream-stalled', 'silence', 'no event for 180 s'],
    [8, 'stream-stalled', 'comments', 'nothing but comments for 180 s'],
    [8, 'stream-stalled', 'pings', 'nothing but pings for 180 s'],
  ] as const
).flatMap(([row, kind, how, signal]): FaultCase[] => [
  {
    row,
    signal: `${signal}, inside a text`,
    claim: `${kind} (${how}): the answer is requested again at once after unfinished text, and the caller keeps one message`,
    served: [broken(how, started(), openText(0, 'Half a sen'))],
    expect: {
      faults: [again(kind, 0, 250)],
      caller: { says: 'Half a sen|All is well.' },
      recorded: { content: [{ text: 'All is well.' }] },
    },
  },
  {
    row,
    signal: `${signal}, after a complete tool call`,
    claim: `${kind} (${how}): complete tool calls are kept, and the half one after them is not`,
    served: [broken(how, ...textAndCall, openCall(2, '{"n":'))],
    expect: { faults: [kept(kind, { fault: { complete: 'calls' } })], ...keptCalls, unrecorded: ['toolu_half'] },
  },
])

export const inStream: readonly FaultCase[] = [
  ...breaks,
  {
    row: 6,
    signal: 'three breaks in a row',
    claim: 'two re-sends at once, then like any failure of the server',
    served: times(3, broken('reset', started(), openText(0, 'H'))),
    expect: {
      faults: [again('stream-cut', 0, 250), again('stream-cut', 0, 250), again('stream-cut', 0, 1_000)],
      caller: { says: 'H|H|H|All is well.' },
      recorded: { content: [{ text: 'All is well.' }] },
    },
  },
  {
    row: 6,
    signal: 'an event that is no JSON',
    claim: 'an event that came damaged is a break, and is not quoted',
    served: [stream(started(), 'event: content_block_delta\ndata: {"delta": a secret}\n\n')],
    expect: {
      faults: [again('stream-cut', 0, 250, { fault: { message: 'an event of the answer is not JSON' } })],
      caller: well,
    },
  },
  {
    row: 6,
    signal: 'words of a block that never began',
    claim: 'an answer that lacks an event is a break, and the words without a place are not guessed at',
    served: [stream(started(), openText(0, 'Lost').replace(/^.*\n.*\n\n/, ''), ended('end_turn'))],
    expect: {
      faults: [again('stream-cut', 0, 250, { fault: { message: 'a piece of the answer belongs to no block of it' } })],
      caller: well,
    },
  },
  {
    row: 6,
    signal: 'two blocks of one index',
    claim: 'an answer that has a part twice is a break: what comes after its first copy does not count',
    served: [stream(started(), textBlock(0, 'One.'), textBlock(0, 'One.'), ended('end_turn'))],
    expect: {
      faults: [again('stream-cut', 0, 250)],
      caller: { says: 'One.|All is well.' },
      recorded: { content: [{ text: 'All is well.' }] },
    },
  },
  {
    row: 6,
    signal: 'a break inside thinking',
    claim: 'unfinished thinking is never recorded: it has no signature',
    served: [broken('reset', started(), openThought(0))],
    expect: { faults: [again('stream-cut', 0, 250)], caller: { says: 'All is well.' }, unrecorded: ['Half a thought'] },
  },
  {
    row: 6,
    signal: 'a break after complete thinking',
    claim: 'complete thinking alone is not an answer: the request is sent again',
    served: [broken('reset', started(), thought(0))],
    expect: { faults: [again('stream-cut', 0, 250)], caller: { says: 'All is well.' }, unrecorded: ['A thought'] },
  },
  {
    row: 6,
    signal: 'a break after a complete text',
    claim: 'an answer of complete text without a call is requested again',
    served: [broken('reset', started(), textBlock(0, 'One.'))],
    expect: {
      faults: [again('stream-cut', 0, 250, { fault: { complete: 'text' } })],
      caller: { says: 'One.|All is well.' },
      recorded: { content: [{ text: 'All is well.' }] },
    },
  },
  {
    row: 6,
    signal: "a break after a complete text, with `cutText: 'keep'`",
    claim: 'complete text can be kept instead, and the model is told to go on',
    served: [broken('reset', started(), textBlock(0, 'One.'), openText(1, 'Tw'))],
    given: { policy: { cutText: 'keep' } },
    expect: {
      faults: [kept('stream-cut')],
      caller: { says: 'One.|Tw|All is well.' },
      recorded: { content: [{ text: 'One.' }, { text: 'Tw' }, { text: 'All is well.' }] },
      sent: {
        messages: [
          {},
          { role: 'assistant' },
          {
            role: 'user',
            content:
              'Your previous response was interrupted and ended with "One.Tw". Continue from where you left off.',
          },
        ],
      },
    },
  },
  {
    row: 6,
    signal: 'a break after a server tool without its result',
    claim: 'a server tool call without its result is dropped with everything after it',
    served: [broken('reset', started(), callBlock(0, '{"n":1}', 'toolu_1'), serverCall(1), openText(2, 'So'))],
    expect: {
      faults: [kept('stream-cut')],
      caller: { says: '', stop: 'tool_use', calls: [aCall] },
      unrecorded: ['srvtoolu_1'],
    },
  },
  {
    row: 6,
    signal: 'a break between a server tool and its result, without a call',
    claim: 'an answer that only waits for the server is requested again',
    served: [broken('reset', started(), textBlock(0, 'I look.'), serverCall(1))],
    expect: {
      faults: [again('stream-cut', 0, 250)],
      caller: { says: 'I look.|All is well.' },
      unrecorded: ['srvtoolu_1'],
    },
  },
  {
    row: 6,
    signal: 'a break after the stop reason',
    claim: 'an answer that has its stop reason is complete, whatever breaks after it',
    served: [broken('reset', started(), textBlock(0, 'Done.'), ended('end_turn').split('event: message_stop')[0]!)],
    expect: { faults: [], caller: { says: 'Done.', stop: 'end_turn' }, recorded: { stop_reason: 'end_turn' } },
  },
  {
    row: 7,
    signal: 'a clean end without `message_stop`',
    claim: 'a stream that closes cleanly before its end has failed',
    served: [stream(started(), openText(0, 'Half'))],
    expect: { faults: [again('stream-truncated', 0, 250)], caller: { says: 'Half|All is well.' } },
  },
  {
    row: 7,
    signal: 'a clean end without `message_stop` while extra usage pays for the plan',
    claim: "an answer beyond the plan's window that breaks off is requested again, not parked until the window ends",
    served: [http(200, started() + openText(0, 'Half'), { 'content-type': 'text/event-stream', ...usedUp })],
    expect: { faults: [again('stream-truncated', 0, 250)], caller: { says: 'Half|All is well.' } },
  },
  {
    row: 7,
    signal: 'a clean end inside the JSON of a call',
    claim: 'a call whose input breaks off never runs',
    served: [stream(started(), openCall(0, '{"n": 1, "wh'))],
    expect: { faults: [again('stream-truncated', 0, 250)], caller: well, unrecorded: ['toolu_half'] },
  },
  {
    row: 7,
    signal: 'a clean end after a complete call',
    claim: 'an early end keeps the calls that were complete',
    served: [stream(...textAndCall)],
    expect: { faults: [kept('stream-truncated')], ...keptCalls },
  },
  {
    row: 7,
    signal: 'a line cut in the middle',
    claim: 'an event without its closing empty line does not count',
    served: [stream(started(), textBlock(0, 'One.'), ended('end_turn').slice(0, 60))],
    expect: { faults: [again('stream-truncated', 0, 250)], caller: { says: 'One.|All is well.' } },
  },
  {
    row: 7,
    signal: '`message_delta` with a stop reason and no `message_stop`',
    claim: 'only the last event is missing: the answer counts, and the caller gets its end',
    served: [stream(said('Done.').split('event: message_stop')[0]!)],
    expect: { faults: [], caller: { says: 'Done.', stop: 'end_turn' } },
  },
  {
    row: 7,
    signal: '`message_stop` without usage',
    claim: 'a complete answer does not fail for lack of usage',
    served: [
      stream(
        started(),
        textBlock(0, 'Done.'),
        event('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: {} }),
        event('message_stop', {}),
      ),
    ],
    expect: { faults: [], caller: { says: 'Done.', stop: 'end_turn' } },
  },
  {
    row: 7,
    signal: '`usage: null` at both ends',
    claim: 'a complete answer without its cost can be read by the SDK all the same',
    served: [stream(said('Done.').replaceAll(/"usage":\{[^}]*\}/g, '"usage":null'))],
    expect: { faults: [], caller: { says: 'Done.', stop: 'end_turn' } },
  },
  {
    row: 8,
    signal: 'headers, then no event for 120 s',
    claim: 'a stream that never begins is given up after two minutes',
    served: [broken('silence')],
    expect: { faults: [again('stream-stalled', 0, 250)], caller: well },
  },
  {
    row: 8,
    signal: 'headers, then nothing but pings for 120 s',
    claim: 'pings are not progress: a stream of pings is given up like a silent one',
    served: [broken('pings')],
    expect: { faults: [again('stream-stalled', 0, 250)], caller: well },
  },
  {
    row: 8,
    signal: 'two stalls in a row',
    claim: 'one re-send at once, then like any failure of the server',
    served: [broken('silence', started()), broken('comments', started())],
    expect: { faults: [again('stream-stalled', 0, 250), again('stream-stalled', 0, 1_000)], caller: well },
  },
]
