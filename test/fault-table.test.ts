/** The fault table, row by row, from the bytes on the wire to what the caller's program sees. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { errorPatterns } from '../packages/core/src/faults/error-patterns.ts'
import { faultKinds } from '../packages/core/src/faults/fault-kinds.ts'
import { faultCases, processCases } from './fault-table/cases.ts'
import { faultsPage, known } from './fault-table/document.ts'
import { textAndCall } from './fault-table/answer-parts.ts'
import { stream, type Outcome, type Verdict } from './fault-table/fault-case.ts'
import { play, type Played } from './fault-table/play.ts'
import { rows } from './fault-table/rows.ts'
import { callBlock, ended } from './support/scripted-api.ts'

describe.each(faultCases)('row $row, $signal', (each) => {
  test(each.claim, async () => {
    const played = await play(each)
    const { expect: expected, given } = each
    expect(verdictsOf(played)).toMatchObject(expected.faults.map(matcherOf))
    expect(played.outcome).toMatchObject(outcomeOf(expected.caller))
    expectCommon(played)
    if (expected.faults.length === 0) expectNothingLeft(played)

    const last = { ...Object.fromEntries(played.headers.at(-1) ?? []), ...played.sent.at(-1) }
    if (expected.sent) expect(last).toMatchObject(expected.sent)
    for (const word of expected.unsent ?? []) expect(JSON.stringify(played.sent.at(-1))).not.toContain(word)
    const recorded = played.entries.flatMap((entry) => (entry.type === 'response-received' ? [entry.message] : []))
    if (expected.recorded) expect(recorded.at(-1)).toMatchObject(expected.recorded)
    for (const word of expected.unrecorded ?? []) expect(JSON.stringify(recorded)).not.toContain(word)
    const types = played.entries.map(({ type }) => type)
    for (const type of expected.entries ?? []) expect(types).toContain(type)
    expect(played.pings > 0).toBe(given?.pingIsAnswered ?? played.pings > 0)
  })
})

describe.each(processCases)('row $row, $signal', ({ claim, run }) => {
  test(claim, async () => {
    expect.hasAssertions()
    await run()
  })
})

test('wherever a stream breaks, the SDK puts together one message that ends with what is recorded', async () => {
  const bytes = stream(...textAndCall, callBlock(2, '{"n":2}'), ended('tool_use'))
  const head = bytes.indexOf('\r\n\r\n') + 4
  const ends = fc.constantFrom('polite', 'reset', 'close', 'silence', 'comments')
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: head, max: bytes.length }), ends, async (end, how) => {
      const part = bytes.slice(0, end)
      const played = await play({ served: [how === 'polite' ? part : { bytes: part, ends: how }] })
      expectCommon(played)
      expect(played.outcome).toHaveProperty('message')
      const { calls = [] } = 'calls' in played.outcome ? played.outcome : {}
      const inputs = calls.map((call) => ('input' in call ? call.input : undefined))
      expect(inputs).toEqual([{ n: 1 }, { n: 2 }].slice(0, inputs.length))
    }),
    { numRuns: 150 },
  )
})

test('every row and every kind has a case, and no two cases have one name', () => {
  const all = [...faultCases, ...processCases]
  expect(Object.keys(rows).filter((row) => !all.some((each) => each.row === Number(row)))).toEqual([])
  expect(Object.keys(rows)).toHaveLength(36)
  const kinds = new Set(faultCases.flatMap((each) => each.expect.faults.map(({ kind }) => kind)))
  expect(faultKinds.filter((kind) => !kinds.has(kind))).toEqual([])
  const claims = all.map(({ claim }) => claim)
  expect(claims.filter((claim, at) => claims.indexOf(claim) !== at)).toEqual([])
})

test('every text that is known has an example, and every example is known', () => {
  expect(known.filter(({ pattern }) => pattern === undefined)).toEqual([])
  const exemplified = new Set(known.map(({ pattern }) => pattern))
  expect(errorPatterns.filter((pattern) => !exemplified.has(pattern)).map(({ text }) => text)).toEqual([])
})

test('docs/faults.md is drawn from the cases', async () => {
  await expect(faultsPage()).toMatchFileSnapshot('../docs/faults.md')
})

/** What the journal has of each fault; times relative to when it was seen. */
function verdictsOf({ entries }: Played) {
  return entries.flatMap((entry) => {
    if (entry.type !== 'fault-observed') return []
    const { fault, decision } = entry
    const until = 'at' in decision ? decision.at : 'retryAt' in decision ? decision.retryAt : undefined
    return [
      {
        fault,
        does: decision.kind,
        waitMs: until === undefined ? undefined : until - entry.at,
        rule: 'rule' in decision ? decision.rule : undefined,
        reason: 'reason' in decision ? decision.reason : undefined,
      },
    ]
  })
}

function matcherOf({ kind, does, waitMs, reason, rule, fault }: Verdict): object {
  return {
    fault: { kind, ...fault },
    does,
    ...(waitMs && { waitMs: between(...waitMs) }),
    ...(rule !== undefined && { rule: expect.stringMatching(new RegExp(`^${rule}(:|$)`)) as unknown }),
    ...(reason && { reason: expect.stringMatching(reason) as unknown }),
  }
}

const between = (from: number, to: number): unknown =>
  expect.toSatisfy((ms: unknown) => typeof ms === 'number' && ms >= from && ms <= to, `from ${from} to ${to} ms`)

function outcomeOf(caller: Outcome): object {
  if (!('calls' in caller) || caller.calls === undefined) return caller
  // toMatchObject compares the length of a list.
  return { ...caller, calls: caller.calls.map((call): unknown => expect.objectContaining(call)) }
}

/** What holds of every case: the caller has what the journal has, and before it at most what broken attempts left. */
function expectCommon({ entries, outcome, sent }: Played): void {
  const sends = entries.filter(({ type }) => type === 'request-sent').length
  // What was answered before the case is recorded as well.
  expect(sends - sent.length).toBeOneOf([0, 1])
  if (!('message' in outcome) || !outcome.message) return
  const recorded = recordedIn(entries)
  const heard = outcome.message.content
  if (recorded.length > 0) expect(heard.slice(-recorded.length)).toMatchObject(recorded)
  const left = heard.slice(0, heard.length - recorded.length)
  expect(left.filter(({ type }) => type === 'tool_use')).toEqual([])
  const last = entries.findLast((entry) => entry.type === 'response-received')
  expect(outcome.message.stop_reason).toBe(last?.message.stop_reason)
}

function expectNothingLeft({ entries, outcome }: Played): void {
  if ('message' in outcome) expect(outcome.message?.content).toHaveLength(recordedIn(entries).length)
}

const recordedIn = (entries: Played['entries']) =>
  entries.findLast((entry) => entry.type === 'response-received')?.message.content ?? []
