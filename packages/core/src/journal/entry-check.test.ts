import fc from 'fast-check'
import { expect, test } from 'vitest'
import { changed } from './changed.fixture.ts'
import { isSurelyEntry } from './entry-check.ts'
import { entryBodySchema, journalVersion, parseEntry, type EntryBody } from './journal.ts'

const block = { type: 'text', text: 'x', citations: null }
const answer = {
  id: 'msg_1',
  role: 'assistant' as const,
  model: 'm',
  content: [block],
  stop_reason: null,
  usage: { input_tokens: 1 },
}
const usual: EntryBody[] = [
  { type: 'session-opened', owner: { id: 'o', host: 'h', realm: 'r', pid: 1 }, cwd: '/home/ann', writer: '1.0.0' },
  { type: 'session-resumed', owner: { id: 'o', host: 'h', realm: 'r', pid: 1 }, refolded: true },
  { type: 'session-suspended', reason: 'interrupted', detail: 'd', retryAt: 5 },
  { type: 'envelope-changed', envelope: { body: { model: 'm', tools: [] }, apiVersion: '2023-06-01', betas: ['b'] } },
  { type: 'request-held', until: 7, reason: 'r' },
  { type: 'rung-changed', rung: 1, model: 'm', reason: 'r' },
  { type: 'turn-started', turn: 1, agent: 'coder', messages: [{ role: 'user', content: 'a' }] },
  { type: 'turn-continued', messages: [{ role: 'user', content: [block] }] },
  { type: 'request-sent', model: 'm', attempt: 1 },
  { type: 'response-received', message: answer, requestId: 'req_1', salvaged: true },
  { type: 'tool-started', toolUseId: 't', name: 'edit', inDoubt: 'report' },
  { type: 'tool-finished', toolUseId: 't', result: block, outcome: 'ran' },
  { type: 'tool-finished', toolUseId: 't', result: block, outcome: 'verified' },
  { type: 'step-started', stepId: 's', name: 'deploy', inDoubt: 'ask' },
  { type: 'step-finished', stepId: 's', name: 'deploy', outcome: 'ran', value: { done: true } },
  {
    type: 'fault-observed',
    fault: { kind: 'overloaded', status: 529, causes: ['ECONNRESET'], shouldRetry: true, complete: 'calls', tokens: 1 },
    decision: { kind: 'retry', at: 5 },
  },
  {
    type: 'fault-observed',
    fault: { kind: 'rate-limited', errorType: 'e', errorCode: 'c', message: 'm', requestId: 'r', retryAfterMs: 1 },
    decision: { kind: 'suspend', reason: 'r', retryAt: 5 },
  },
  {
    type: 'fault-observed',
    fault: { kind: 'too-large', repairs: ['r'], paths: ['messages.0'] },
    decision: { kind: 'fallback', rung: 0 },
  },
  { type: 'repairs-reverted', reason: 'r' },
  { type: 'rewound', messages: 0, turn: 1, lastGoodTurn: 1, reason: 'r' },
  { type: 'session-forked', origin: { sessionId: 'a', seq: 1, at: 5 }, reason: 'r' },
  { type: 'retention-changed', ttlMs: 1, pinned: false },
  { type: 'kept-apart', of: 'tool-finished', blob: { name: 'a'.repeat(64), bytes: 1 } },
  { type: 'sealed', codec: 'aes-256-gcm', key: 'k', data: 'x' },
  { type: 'turn-ended', turn: 1 },
]
const stamped = (body: object) => ({ ...body, v: journalVersion, seq: 1, at: 1.5, fence: 1, lane: 'main' })

function isSoundBySchema(value: object): boolean {
  const { v, seq, at, fence, lane, ...body } = value as Record<string, unknown>
  const isWhole = (one: unknown) => Number.isSafeInteger(one) && Number(one) >= 1
  const isStamped =
    v === journalVersion &&
    isWhole(seq) &&
    Math.abs(Number(at)) <= 8.64e15 &&
    Number.isFinite(at) &&
    isWhole(fence) &&
    lane === 'main'
  return isStamped && entryBodySchema().safeParse(body).success
}

test.each(usual)('the usual entries need no schema [$type]', (body) => {
  expect(isSurelyEntry(stamped(body), journalVersion)).toBe(true)
  expect(isSoundBySchema(stamped(body))).toBe(true)
})

test.each(usual)('what is surely an entry the schema takes too, whatever was changed in it [$type]', (body) => {
  const sure = fc.property(changed(stamped(body)), (value) => {
    expect(isSurelyEntry(value, journalVersion) && !isSoundBySchema(value)).toBe(false)
  })
  fc.assert(sure, { numRuns: 1000 })
})

test('an unknown version or kind is never surely an entry, and is told (P5)', () => {
  const newer = { ...stamped(usual.at(-1) as EntryBody), v: journalVersion + 1 }
  for (const value of [newer, stamped({ type: 'of-tomorrow' })]) {
    expect(isSurelyEntry(value, journalVersion)).toBe(false)
    expect(() => parseEntry(value, 'here')).toThrow(expect.objectContaining({ code: 'journal-version' }))
  }
  for (const value of [null, [], 'x', {}]) expect(isSurelyEntry(value, journalVersion)).toBe(false)
})

test.each<[string, object]>([
  ['at', stamped({ type: 'turn-ended', turn: 1 })],
  ['until', stamped({ type: 'request-held', until: 1, reason: 'r' })],
  ['retryAt', stamped({ type: 'session-suspended', reason: 'interrupted', detail: 'd', retryAt: 1 })],
])('an instant that no date can say is damage: %s', (field, sound) => {
  for (const at of [1e300, -1e300, 8.64e15 + 2]) {
    const value = { ...sound, [field]: at }
    expect(isSurelyEntry(value, journalVersion)).toBe(false)
    expect(() => parseEntry(value, 'here')).toThrow(expect.objectContaining({ code: 'journal-corrupt' }))
  }
  expect(parseEntry({ ...sound, [field]: 8.64e15 }, 'here')).toMatchObject({ [field]: 8.64e15 })
})

test.each(['retry', 'suspend'])('an instant of a decision that no date can say is damage: %s', (kind) => {
  const decision = kind === 'retry' ? { kind, at: 1e300 } : { kind, reason: 'r', retryAt: 1e300 }
  const value = stamped({ type: 'fault-observed', fault: { kind: 'overloaded' }, decision })
  expect(() => parseEntry(value, 'here')).toThrow(expect.objectContaining({ code: 'journal-corrupt' }))
})
