/** The report of `bench store`. */
import { formatTable, surroundingsLine, type Surroundings } from '../../support/report.ts'
import type { benchStore } from './bench.ts'
import { goalsTable } from '../goal.ts'
import type { Spread } from '../spread.ts'

export type Report = Awaited<ReturnType<typeof benchStore>>

export function storeReport(results: Report, isMarkdown: boolean, at: Surroundings): string {
  const { checkpoints, processor, growth, stored, shrunk, opening, beside, atOnce, goals } = results
  const ms = (value: number) => value.toFixed(value < 10 ? 2 : 0)
  const times = (value: number) => `${value.toFixed(2)}x`
  const share = (value: number) => `${Math.round(value * 100)} %`
  const spread = ({ p50, p99 }: Spread) => `${ms(p50)} / ${ms(p99)}`
  const ratio = (one: Spread, floor: Spread) => `${times(one.p50 / floor.p50)} / ${times(one.p99 / floor.p99)}`
  const table = (columns: readonly string[], rows: readonly (readonly string[])[]) =>
    formatTable(columns, rows, isMarkdown)
  return [
    table(
      ['one checkpoint, ms', 'floor', 'append', 'vs floor', 'record', 'vs floor'],
      checkpoints.map(({ medium, times: { floor, append, record } }) => [
        medium,
        spread(floor),
        spread(append),
        ratio(append, floor),
        spread(record),
        ratio(record, floor),
      ]),
    ),
    table(
      ['processor of a checkpoint, ms', 'floor', 'append', 'vs floor', 'record', 'vs floor'],
      processor.map(({ medium, cpu: { floor, append, record } }) => [
        medium,
        ms(floor),
        ms(append),
        times(append / floor),
        ms(record),
        times(record / floor),
      ]),
    ),
    table(
      ['deep in a session, ms', '', ...(growth[0]?.places.map(({ step }) => `step ${step}`) ?? [])],
      growth.map(({ medium, role, places }) => [medium, role, ...places.map(({ p50 }) => ms(p50))]),
    ),
    table(
      ['bytes', 'new content', 'stored', 'vs content'],
      [...stored, ...shrunk].map((one) => [
        one.medium,
        String(one.content),
        String(one.stored),
        times(one.stored / one.content),
      ]),
    ),
    table(
      ['opening, ms', '', 'MB', 'messages', 'floor', 'session', 'vs floor', 'without modules', 'vs floor', 'processor'],
      opening.map((one) => [
        one.medium,
        one.what,
        (one.bytes / 1e6).toFixed(1),
        String(one.messages),
        ms(one.floor),
        ms(one.opened),
        times(one.opened / one.floor),
        `${ms(one.floorAlone)}, ${ms(one.openedAlone)}`,
        times(one.openedAlone / one.floorAlone),
        `${ms(one.floorCpu)}, ${ms(one.openedCpu)}`,
      ]),
    ),
    table(
      [
        'opening beside other keys, ms',
        '',
        'other keys',
        'alone',
        'beside them',
        'times',
        'floor alone',
        'beside them',
      ],
      beside.map(({ keys, alone, beside: crowded }) => [
        alone.medium,
        alone.what,
        String(keys),
        ms(alone.opened),
        ms(crowded.opened),
        times(crowded.opened / alone.opened),
        ms(alone.floor),
        ms(crowded.floor),
      ]),
    ),
    table(
      ['steps/s', 'sessions', 'floor', 'append', '% of floor', 'record', '% of floor'],
      atOnce.map(({ medium, sessions, stepsPerSecond: { floor, append, record } }) => [
        medium,
        String(sessions),
        floor.toFixed(0),
        append.toFixed(0),
        share(append / floor),
        record.toFixed(0),
        share(record / floor),
      ]),
    ),
    goalsTable('multiple of floor', goals, (value) => value.toFixed(2), isMarkdown),
    `p50 / p99 of ${results.options.checkpoints} checkpoints; medians of ${results.options.runs} processes; Redis ${results.redis}`,
    surroundingsLine(at),
  ].join('\n\n')
}
