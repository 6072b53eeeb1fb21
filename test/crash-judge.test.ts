/** The judge of the crash campaign detects what it is there for: each count that must be 0 can be above 0. */
import { createHash } from 'node:crypto'
import type { EntryBody } from '@lastgood/core'
import { entry, turnStarted } from '@lastgood/core/testing'
import { expect, test } from 'vitest'
import type { EffectLine, Evidence, Life, Said } from './crash/campaign/evidence.ts'
import { linesOf } from './crash/campaign/evidence.ts'
import { judge, offences, type Offence } from './crash/campaign/judge.ts'
import { drawKill, isSign } from './crash/campaign/kill-plan.ts'
import { allItems, answerTo, tasks } from './crash/campaign/workload.ts'

const callOf = (item: number) => `toolu_${item}`
const started = (item: number): EntryBody => ({
  type: 'tool-started',
  toolUseId: callOf(item),
  name: 'write',
  inDoubt: 'report',
})
const finished = (item: number): EntryBody => ({
  type: 'tool-finished',
  toolUseId: callOf(item),
  result: { type: 'tool_result', tool_use_id: callOf(item), content: `did ${item}` },
  outcome: 'ran',
})
const bodies: EntryBody[] = [
  turnStarted('Items'),
  { type: 'request-sent', model: 'm', attempt: 1 },
  ...allItems.flatMap((item) => [started(item), finished(item)]),
  ...tasks.map((_, i): EntryBody => ({ type: 'turn-ended', turn: i + 1 })),
]
const journal = bodies.map((body, i) => entry(i + 1, 1, body))
const seqOfIntent = (item: number) =>
  journal.findIndex((one) => 'toolUseId' in one && one.toolUseId === callOf(item)) + 1

const begin = (item: number, changes: object = {}): EffectLine => ({
  at: 'begin',
  call: callOf(item),
  key: `ses:${callOf(item)}`,
  name: 'write',
  rule: 'report',
  life: 1,
  seq: seqOfIntent(item),
  ...changes,
})
const effect = (item: number): EffectLine => ({ at: 'effect', call: callOf(item), item, life: 1 })

const acknowledged = journal.map((one): Said => {
  const digest = createHash('sha256').update(JSON.stringify(one)).digest('base64')
  return { entry: { seq: one.seq, type: one.type, digest } }
})
const life = (changes: Partial<Life> = {}): Life => ({
  answers: {},
  said: [...acknowledged, ...tasks.map((task, i): Said => ({ reply: { turn: i + 1, text: answerTo(task) } }))],
  end: 'finished',
  stderr: '',
  ...changes,
})
const sound: Evidence = {
  session: 'ses',
  lives: [life()],
  journal,
  state: 'idle',
  isHeld: false,
  effects: allItems.flatMap((item) => [begin(item), effect(item)]),
  requests: [{ n: 1, outcome: { kind: 'ok' } }],
}

test('a session in which all is well has no findings', () => {
  expect(judge(sound)).toEqual([])
})

const broken: [Offence, string, Partial<Evidence>][] = [
  [
    'lost',
    'an entry that was acknowledged and is gone',
    { lives: [life({ said: [...acknowledged, { entry: { seq: 99, type: 'x', digest: '' } }] })] },
  ],
  [
    'lost',
    'an entry that was acknowledged and is another',
    { journal: journal.map((one) => (one.seq === 2 ? { ...one, at: 0 } : one)) },
  ],
  [
    'lost',
    'a reply that its turn did not end with',
    { lives: [life({ said: [{ reply: { turn: 1, text: 'other' } }] })] },
  ],
  [
    'rerun',
    'a call that began after its result was durable',
    { effects: [...sound.effects, begin(1, { rule: 'rerun', seq: seqOfIntent(1) + 1 })] },
  ],
  ['repeated', 'a call that began twice', { effects: [...sound.effects, begin(1)] }],
  ['miscounted', 'an item that was done twice', { effects: [...sound.effects, effect(1)] }],
  ['miscounted', 'an item that was not done', { effects: sound.effects.filter((line) => line.call !== callOf(1)) }],
  [
    'miscounted',
    'a call under another key',
    { effects: sound.effects.map((line) => (line === sound.effects[0] ? begin(1, { key: 'other' }) : line)) },
  ],
  [
    'unannounced',
    'a call that began before its intent was durable',
    { effects: sound.effects.map((line) => (line === sound.effects[0] ? begin(1, { seq: 1 }) : line)) },
  ],
  [
    'unannounced',
    'a request that no entry tells of',
    { requests: [...sound.requests, { n: 2, outcome: { kind: 'ok' } }] },
  ],
  ['invalid', 'a request that was refused', { requests: [{ n: 1, outcome: { kind: 'rejected', status: 400 } }] }],
  ['unresumed', 'a process that failed', { lives: [life({ end: 'failed', stderr: 'Error: journal-corrupt' })] }],
  ['unresumed', 'a session that was left held', { isHeld: true }],
]

test.each(broken)('%s: %s', (offence, _what, changes) => {
  expect(judge({ ...sound, ...changes })).toEqual([expect.objectContaining({ offence, session: 'ses' })])
})

test('every offence has a case here', () => {
  expect(new Set(broken.map(([offence]) => offence))).toEqual(new Set(Object.keys(offences)))
})

test('a call may begin twice under the rule rerun, and on the word of a person in that very life', () => {
  const again = (rule: string) => ({ effects: [...sound.effects.map((line) => line), begin(1, { rule, life: 2 })] })
  expect(judge({ ...sound, ...again('rerun') })).toEqual([])
  const asked = [life({ end: 'asks' }), life({ answers: { [callOf(1)]: 'rerun' } })]
  expect(judge({ ...sound, lives: asked, ...again('ask') })).toEqual([])
  expect(judge({ ...sound, lives: [asked[1]!, life()], ...again('ask') })).toHaveLength(1)
})

test('a call may begin once more after a look said that it had no effect', () => {
  const look: EffectLine = { at: 'verify', call: callOf(1), verdict: 'not-done', life: 2 }
  const again = begin(1, { life: 2 })
  expect(judge({ ...sound, effects: [...sound.effects, look, again] })).toEqual([])
  expect(judge({ ...sound, effects: [...sound.effects, look, again, again] })).toHaveLength(1)
  expect(judge({ ...sound, effects: [...sound.effects, { ...look, verdict: 'done' }, again] })).toHaveLength(1)
})

test('what a kill left of a last line does not count', () => {
  expect(linesOf('{"at":"end"}\n{"at":"be')).toEqual([{ at: 'end' }])
  expect(linesOf('{"at"')).toEqual([])
})

test('kills are drawn from the seed, and wait for their own sign', () => {
  const draw = (seed: number) => Array.from({ length: 40 }, (_, i) => drawKill(() => ((i * 7 + seed) % 40) / 40))
  expect(draw(1)).toEqual(draw(1))
  expect(new Set(draw(1).map(({ on }) => on?.kind))).toContain('entry')
  const resumed = { entry: { seq: 3, type: 'session-resumed', digest: '' } }
  expect(isSign(resumed, { kind: 'entry', nth: 1 })).toBe(true)
  expect(isSign(resumed, { kind: 'entry', type: 'turn-ended', nth: 1 })).toBe(false)
  expect(isSign({ began: 'toolu_1' }, { kind: 'entry', nth: 1 })).toBe(false)
})
