/** The report of `bench gateway`. */
import { formatTable, surroundingsLine, type Surroundings } from '../../support/report.ts'
import type { benchGateway } from './bench.ts'
import { atOnce } from './rates.ts'
import type { Spread } from '../spread.ts'

type Report = Awaited<ReturnType<typeof benchGateway>>

const number = (value: number) => value.toFixed(Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0)
const spread = ({ p50, p95 }: Spread, times = 1) => `${number(p50 * times)} / ${number(p95 * times)}`
const known = (value: number | undefined) => (value === undefined ? '' : number(value))

export function gatewayReport({ versions, missing, goals, ...results }: Report, isMarkdown: boolean, at: Surroundings) {
  const table = (columns: readonly string[], rows: readonly (readonly string[])[]) =>
    formatTable(columns, rows, isMarkdown)
  const { firstByte, events, rates, memory } = results
  return [
    table(
      ['messages', 'request', 'rounds', '', 'first byte, ms', 'added, ms', 'processor, ms'],
      firstByte.flatMap(({ messages, bytes, rounds, of }) =>
        of.map(({ name, whole, added, cpu }, row) => [
          ...(row === 0 ? [String(messages), `${Math.round(bytes / 1000)} KB`, String(rounds)] : ['', '', '']),
          name,
          spread(whole),
          name === 'direct' ? '' : spread(added),
          known(cpu),
        ]),
      ),
    ),
    table(
      ['events', 'added to each, µs', 'events/s, one stream', 'processor, µs each'],
      events.map(({ name, added, perSecond, cpu }) => [
        name,
        name === 'direct' ? '' : spread(added, 1000),
        perSecond.toFixed(0),
        known(cpu),
      ]),
    ),
    table(
      [`${atOnce} at once`, 'requests/s', 'processor, ms each', 'streams/s', 'processor, ms each'],
      rates.map(({ name, requests, streams }) => [
        name,
        requests.perSecond.toFixed(0),
        known(requests.cpu),
        streams.perSecond.toFixed(0),
        known(streams.cpu),
      ]),
    ),
    table(
      ['memory, MB', 'before', `${memory[0]?.streams ?? 0} streams open`, 'after they end'],
      memory.map(({ name, before, open, after }) => [name, before.toFixed(0), open.toFixed(0), after.toFixed(0)]),
    ),
    table(
      ['goal of lastgood, file', 'measured', '', 'bound', ''],
      goals.map(({ name, measured, is, bound, met }) => [
        name,
        number(measured),
        is,
        number(bound),
        met ? 'met' : 'not met',
      ]),
    ),
    ...missing.map(({ name, why }) => `${name} is not included: ${why}`),
    `p50 / p95; ${versions.map(({ name, version }) => `${name} ${version}`).join(', ')}`,
    surroundingsLine(at),
  ].join('\n\n')
}
