/** The report of `bench peers`. */
import { formatTable, surroundingsLine, type Surroundings } from '../report.ts'
import type { benchPeers } from './bench.ts'
import { leagues, leftOut } from './contenders.ts'

export type PeersReport = Awaited<ReturnType<typeof benchPeers>>

const number = (value: number) => value.toFixed(Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0)
const megabytes = (bytes: number) => (bytes > 0 ? number(bytes / 1e6) : '')

export function peersReport(results: PeersReport, isMarkdown: boolean, at: Surroundings): string {
  const { options, measured, missing, standings } = results
  const table = (columns: readonly string[], rows: readonly (readonly string[])[]) =>
    formatTable(columns, rows, isMarkdown)
  const { sessions } = options.atOnce
  return [
    ...options.lengths.map((steps) => stepsTable(results, steps, table)),
    table(
      [`${sessions} sessions at once`, 'p50, ms', 'steps/s', 'SIGKILL to the next request, ms', 'steps lost'],
      measured.map(({ contender, atOnce, goingOn: { ms, lost } }) => [
        contender.name,
        number(atOnce.p50),
        atOnce.perSecond.toFixed(0),
        ms === undefined ? `more than ${options.goOnLimitMs}` : ms.toFixed(0),
        lost === undefined ? '' : `${lost} of ${options.killAfter}`,
      ]),
    ),
    table(
      ['lastgood, times the best peer', ...leagues],
      [...new Set(standings.map(({ row }) => row))].map((row) => [
        row,
        ...leagues.map((league) => {
          const one = standings.find((standing) => standing.row === row && standing.league === league)
          if (!one || Number.isNaN(one.times)) return ''
          return one.times >= 1 ? `${number(one.times)}x` : `behind, ${number(one.times)}x: ${one.peer}`
        }),
      ]),
    ),
    table(
      ['not measured', 'why'],
      [...missing, ...leftOut].map(({ name, why }) => [name, why.replaceAll('|', '/').slice(0, 300)]),
    ),
    `medians of ${options.rounds} rounds; all on Node ${results.ranOn}; ${[...results.servers, ...results.versions].join(', ')}`,
    surroundingsLine(at),
  ].join('\n\n')
}

function stepsTable(
  { measured }: PeersReport,
  steps: number,
  table: (columns: readonly string[], rows: readonly (readonly string[])[]) => string,
): string {
  return table(
    [
      `${steps} steps`,
      'p50 / p99, ms',
      'last tenth',
      'processor, ms',
      'client + server',
      'written, MB',
      'stored, MB',
      'open, ms',
      'without modules',
    ],
    measured.flatMap(({ contender, lengths }) => {
      const one = lengths.find((length) => length.steps === steps)
      if (!one) return []
      if (one.done === 0) return [[`${contender.name} (did not end)`]]
      const short = one.done < steps ? ` (${one.done} steps, then too long)` : ''
      return [
        [
          contender.name + short,
          `${number(one.p50)} / ${number(one.p99)}`,
          number(one.late),
          number(one.clientCpu + one.serverCpu),
          `${number(one.clientCpu)} + ${number(one.serverCpu)}`,
          megabytes(one.written),
          megabytes(one.stored),
          one.isExact ? one.open.toFixed(0) : 'not all there',
          one.isExact ? one.openAlone.toFixed(0) : '',
        ],
      ]
    }),
  )
}
