/**
 * `pnpm clients`: what real clients do with faults at every place of a job, and with long outages, without the gateway
 * and with it.
 *
 *   pnpm clients [--json] [--md] [--kind once|repeatedly|outage] [--client claude-code] [--fault "in text"] [--only with|without]
 *
 * Exit codes: 0 done, 1 when a run behind the gateway did not do each step once, 2 usage, 130 interrupted.
 */
import { parseArgs } from 'node:util'
import { surroundings, surroundingsLine } from '../bench/report.ts'
import { clients } from './clients.ts'
import { isGood, runMatrix, type Row } from './matrix.ts'
import { kinds, planOf } from './plan.ts'
import { reportOf, verdict, whatFails } from './report.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    md: { type: 'boolean', default: false },
    kind: { type: 'string', multiple: true },
    client: { type: 'string', multiple: true },
    fault: { type: 'string', default: '' },
    only: { type: 'string' },
  },
})

const names = clients.map(({ name }) => name)
const plan = planOf({
  clients: clients.filter(({ name }) => chosen('--client', values.client, names).includes(name)),
  kinds: chosen('--kind', values.kind, kinds),
  sides: chosen('--only', values.only === undefined ? undefined : [values.only], ['with', 'without'] as const).map(
    (side) => (side === 'with' ? 'with lastgood' : 'alone'),
  ),
  fault: values.fault,
})
if (plan.length === 0) usage(`no fault is called ${values.fault}`)

const interrupted = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupted.abort())

const matrix = await runMatrix(plan, { signal: interrupted.signal, tell })
const machine = surroundings()
if (values.json) process.stdout.write(`${JSON.stringify({ machine, ...matrix }, null, 2)}\n`)
else process.stdout.write(`${reportOf(matrix, values.md)}\n\n${surroundingsLine(machine)}\n`)
if (interrupted.signal.aborted) process.exitCode = 130
else process.exitCode = matrix.rows.some((row) => row.side === 'with lastgood' && !isGood(row)) ? 1 : 0

function tell(row: Row): void {
  process.stderr.write(`${row.client} ${row.side}, ${whatFails(row)}: ${verdict(row)}\n`)
  if (row.side === 'alone' || row.became.is !== 'run' || isGood(row)) return
  const { seen, said } = row.became.done
  process.stderr.write(`${seen.join('\n')}\n${said}\n`)
}

function chosen<Name extends string>(
  option: string,
  asked: readonly string[] | undefined,
  known: readonly Name[],
): readonly Name[] {
  if (asked === undefined) return known
  const unknown = asked.find((name) => !known.some((one) => one === name))
  if (unknown !== undefined) usage(`${option} ${unknown} is none of ${known.join(', ')}`)
  return known.filter((name) => asked.includes(name))
}

function usage(what: string): never {
  process.stderr.write(`${what}\n`)
  process.exit(2)
}
