/** The report of `bench peers`. */
import { formatTable, surroundingsLine, type Surroundings } from '../../support/report.ts'
import type { benchPeers } from './bench.ts'
import { leagues } from './contenders.ts'

export type PeersReport = Awaited<ReturnType<typeof benchPeers>>

const number = (value: number) => value.toFixed(Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0)
const megabytes = (bytes: number) => (bytes > 0 ? number(bytes / 1e6) : '')

type Table = (columns: readonly string[], rows: readonly (readonly string[])[]) => string

export function peersReport(results: PeersReport, isMarkdown: boolean, at: Surroundings): string {
  const { options, measured, missing, standings } = results
  const table: Table = (columns, rows) => formatTable(columns, rows, isMarkdown)
  const { sessions } = options.atOnce
  return [
    summaryTable(results, table),
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
      missing.map(({ name, why }) => [name, why.replaceAll('|', '/').slice(0, 300)]),
    ),
    `medians of ${options.rounds} rounds; all on Node ${results.ranOn}; ${[...results.servers, ...results.versions].join(', ')}`,
    surroundingsLine(at),
  ].join('\n\n')
}

/** The contenders in the summary, for readers of only one table. */
const summarized = [
  'lastgood, file',
  'lastgood, Redis everysec',
  'lastgood, Redis always',
  'Mastra storage, Redis always',
  'BullMQ, Redis always',
  'Restate',
  'DBOS, Postgres',
  'Vercel Workflow, local',
  'LangGraph, SQLite, sync',
  'LangGraph, Postgres, sync',
  'LangGraph, Postgres, async (its default)',
]

function summaryTable({ options, measured }: PeersReport, table: Table): string {
  const steps = options.lengths.at(-1) ?? 0
  return table(
    [
      `a session of ${steps} steps`,
      'a step, ms',
      'at the end',
      'processor, ms',
      'stored, MB',
      'open, ms',
      `steps/s, ${options.atOnce.sessions} sessions`,
      'SIGKILL to the next request, ms',
      'lost',
    ],
    measured
      .filter(({ contender }) => summarized.includes(contender.name))
      .flatMap(({ contender: { name }, lengths, atOnce, goingOn: { ms, lost } }) => {
        const one = lengths.at(-1)
        if (!one) return []
        const isDone = one.done === steps
        return [
          [
            isDone ? name : `${name} (${one.done} steps in ${options.limitMs / 1000} s)`,
            one.done === 0 ? '' : number(one.p50),
            one.done === 0 ? '' : number(one.late),
            one.done === 0 ? '' : number(one.clientCpu + one.serverCpu),
            isDone ? megabytes(one.stored) : '',
            isDone && one.isExact ? one.open.toFixed(0) : '',
            atOnce.perSecond.toFixed(0),
            ms === undefined ? `more than ${options.goOnLimitMs}` : ms.toFixed(0),
            lost === undefined ? '' : `${lost} of ${options.killAfter}`,
          ],
        ]
      }),
  )
}

function stepsTable({ measured }: PeersReport, steps: number, table: Table): string {
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
