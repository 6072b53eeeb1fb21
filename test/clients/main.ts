/**
 * `pnpm clients`: what real clients do with faults at every place of a job, and with long outages, without the gateway
 * and with it.
 *
 * Exit codes: 0 done, 1 when a run behind the gateway did not do each step once, 2 usage, 130 interrupted.
 */
import { BadOption, flag, runCommand, words } from '../support/command.ts'
import { surroundings, surroundingsLine } from '../support/report.ts'
import { clients } from './clients.ts'
import { isGood, runMatrix, type Row } from './matrix.ts'
import { kinds, planOf } from './plan.ts'
import { reportOf, verdict, whatFails } from './report.ts'

const names = clients.map(({ name }) => name)
process.exitCode = await runCommand({
  name: 'clients',
  flags: {
    kind: words(`one of ${kinds.join(', ')}; may be repeated, default all`),
    client: words(`one of ${names.join(', ')}; may be repeated, default all`),
    fault: words('part of a name, as in the table'),
    only: words('with or without the gateway'),
    json: flag('results as JSON'),
    md: flag('the tables in Markdown'),
  },
  async run(given, tell) {
    const chosen = given.chosen('client', names)
    const fault = given.words('fault').at(-1) ?? ''
    const plan = planOf({
      clients: clients.filter(({ name }) => chosen.includes(name)),
      kinds: given.chosen('kind', kinds),
      sides: given.chosen('only', ['with', 'without']).map((side) => (side === 'with' ? 'with lastgood' : 'alone')),
      fault,
    })
    if (plan.length === 0) throw new BadOption(`no fault is called ${fault}`)

    const interrupted = new AbortController()
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupted.abort())
    const matrix = await runMatrix(plan, { signal: interrupted.signal, tell: (row) => linesOf(row).forEach(tell) })
    const machine = surroundings()
    const isBroken = matrix.rows.some((row) => row.side === 'with lastgood' && !isGood(row))
    return {
      results: { machine, ...matrix },
      report: (isMarkdown) => `${reportOf(matrix, isMarkdown)}\n\n${surroundingsLine(machine)}`,
      exitCode: interrupted.signal.aborted ? 130 : Number(isBroken),
    }
  },
})

/** What became of a run; of one that failed behind the gateway also what was seen and said. */
function linesOf(row: Row): string[] {
  const line = `${row.client} ${row.side}, ${whatFails(row)}: ${verdict(row)}`
  if (row.side === 'alone' || row.became.is !== 'run' || isGood(row)) return [line]
  const { seen, said } = row.became.done
  return [line, `${seen.join('\n')}\n${said}`]
}
