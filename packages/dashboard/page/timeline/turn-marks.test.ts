import { describe, expect, it } from 'vitest'
import type { Step } from '../../src/turn-report.ts'
import { timeAxis } from './time-axis.ts'
import { turnMarks } from './turn-marks.ts'

const start = Date.parse('2026-11-29T10:00:00Z')
const at = (seconds: number): string => new Date(start + seconds * 1_000).toISOString()
const answer = (seconds: number, took: number, model = 'claude-opus-5-5'): Step => ({
  seq: seconds,
  at: at(seconds),
  kind: 'answer',
  attempt: 1,
  durationMs: took * 1_000,
  model,
  stopReason: 'end_turn',
  salvaged: false,
  text: '',
})
const fault = (seconds: number, wait: number | null): Step => ({
  seq: seconds,
  at: at(seconds),
  kind: 'fault',
  fault: '529 overloaded_error',
  message: '',
  attempt: 1,
  durationMs: 1_000,
  decision: 'retry',
  reason: '',
  waitMs: wait === null ? null : wait * 1_000,
})
const marks = (steps: Step[], endedAt: string | null = null, openUntil?: number) =>
  turnMarks({ steps, endedAt }, { usualModel: 'claude-opus-5-5', openUntil })
const waits = (found: ReturnType<typeof marks>) =>
  found.bars.filter(({ kind }) => kind === 'wait').map(({ from, to }) => [(from - start) / 1_000, (to - start) / 1_000])

describe('the marks of a turn', () => {
  it('a wait ends when the next request was sent, not when that was answered', () => {
    expect(waits(marks([fault(10, 5), answer(25, 10)]))).toEqual([[10, 15]])
    expect(waits(marks([fault(10, 60), answer(25, 10)]))).toEqual([[10, 15]])
  })

  it('a wait that has not ended is drawn until now, and a turn that was left does not wait', () => {
    expect(waits(marks([fault(10, 3600)], null, start + 70_000))).toEqual([[10, 70]])
    expect(waits(marks([fault(10, null)]))).toEqual([])
  })

  it('waiting is not busy, so that the axis may fold it', () => {
    const { busy } = marks([fault(10, 3600), answer(3700, 10)])
    expect(busy.some(({ from, to }) => from < start + 1_000_000 && to > start + 1_000_000)).toBe(false)
  })

  it('tries in a long wait do not interrupt its fold, whatever else is said in it, and its first ones are drawn in full', () => {
    const tries = [10, 15, 320, 620, 920].map((seconds) => fault(seconds, 300))
    const held: Step = { seq: 1, at: at(600), kind: 'held', reason: 'down', waitMs: 19_000 }
    const { busy, points } = marks([...tries.slice(0, 3), held, ...tries.slice(3), answer(1230, 10)])
    expect(points).toHaveLength(5)
    const folds = timeAxis(busy).parts.filter(({ isFold }) => isFold)
    expect(folds.map(({ from, to }) => [(from - start) / 1_000, (to - start) / 1_000])).toEqual([[15, 1220]])
  })

  it('a failure has its code, and an answer of another model that model’s name', () => {
    const rung: Step = { seq: 2, at: at(12), kind: 'rung', model: 'claude-sonnet-5-5', reason: 'down' }
    const found = marks([fault(10, null), rung, answer(20, 8, 'claude-sonnet-5-5-20261001'), answer(30, 8)], at(30))
    expect(found.points.map(({ kind, label }) => [kind, label])).toEqual([
      ['fault', '529'],
      ['rung', 'sonnet-5-5'],
      ['checkpoint', ''],
    ])
    expect(found.bars.map(({ kind, label }) => [kind, label])).toEqual([
      ['failed', ''],
      ['fallback', 'sonnet-5-5'],
      ['answer', ''],
    ])
  })

  it('a call whose outcome nobody knows is marked, and has no length', () => {
    const call: Step = {
      seq: 1,
      at: at(1),
      kind: 'tool',
      name: 'deploy\u202e',
      input: '',
      outcome: 'in-doubt',
      durationMs: null,
      result: '',
    }
    const { calls, points } = marks([call])
    expect(calls).toMatchObject([{ kind: 'doubt', from: start + 1_000, to: start + 1_000, label: 'deploy\ufffd' }])
    expect(points).toMatchObject([{ kind: 'doubt', glyph: '?' }])
  })
})
