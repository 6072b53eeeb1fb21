import { journalVersion, type EntryBody } from '@lastgood/core'
import { expect, it } from 'vitest'
import { answered, started } from '../../test/context.ts'
import { SessionReport } from './report.ts'

function reportOf(bodies: readonly EntryBody[]): SessionReport {
  const report = new SessionReport()
  bodies.forEach((body, at) => report.take({ ...body, v: journalVersion, seq: at + 1, at, fence: 1, lane: 'main' }))
  return report
}

it('of tens of thousands of steps and calls is made at once', () => {
  const ids = Array.from({ length: 20_000 }, (_, at) => `id-${at}`)
  const steps = ids.flatMap((stepId): EntryBody[] => [
    { type: 'step-started', stepId, name: 'build', inDoubt: 'report' },
    { type: 'step-finished', stepId, outcome: 'ran' },
  ])
  const calls = ids.flatMap((id): EntryBody[] => [
    answered('', { id, name: 'run', input: {} }),
    { type: 'tool-started', toolUseId: id, name: 'run', inDoubt: 'report' },
    { type: 'tool-finished', toolUseId: id, outcome: 'ran', result: { type: 'tool_result', tool_use_id: id } },
  ])
  // Of the processor: others use it as well.
  const before = process.cpuUsage()
  const [turn] = reportOf([started(1), ...steps, ...calls]).turns
  expect(process.cpuUsage(before).user / 1_000).toBeLessThan(5_000)
  expect(turn?.steps.filter((step) => step.kind === 'step' && step.outcome === 'ran')).toHaveLength(20_000)
  expect(turn?.steps.filter((step) => step.kind === 'tool' && step.outcome === 'ok')).toHaveLength(20_000)
})

it('counts the tokens of a compaction, which the sums of its answer leave out', () => {
  const iterations = [{ type: 'compaction', input_tokens: 144, output_tokens: 276 }]
  const message = {
    id: 'msg_1',
    role: 'assistant' as const,
    model: 'claude-opus-5-5',
    content: [{ type: 'compaction', content: 'So far.' }],
    stop_reason: 'compaction',
    usage: { input_tokens: 0, output_tokens: 0, iterations },
  }
  const [turn] = reportOf([started(1), { type: 'response-received', message }]).turns
  expect(turn?.tokens).toEqual({ input: 144, cacheRead: 0, output: 276 })
})
