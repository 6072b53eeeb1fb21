/**
 * `pnpm clients`: what real clients do with every fault at every place of a job, without the gateway and with it.
 *
 *   pnpm clients [--json] [--md] [--client claude-code] [--fault "in text"] [--only with|without]
 */
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { formatTable, surroundings, surroundingsLine } from '../bench/report.ts'
import { clients } from './clients.ts'
import { faults } from './faults.ts'
import { install } from './install.ts'
import { isDone, runJob, type JobDone } from './job.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    md: { type: 'boolean', default: false },
    client: { type: 'string' },
    fault: { type: 'string', default: '' },
    only: { type: 'string' },
  },
})

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const lastgood = fileURLToPath(new URL('../../../../packages/cli/dist/bin/lastgood.js', import.meta.url))
/** Above what a client waits when it retries; one that hangs for longer is said to. */
const patienceMs = 60_000

type Row = { client: string; fault: string; gateway: boolean } & JobDone

const rows: Row[] = []
const missing: { client: string; why: string }[] = []
const chosen = [{ name: 'nothing', fault: undefined }, ...faults].filter(({ name }) => name.includes(values.fault))
for (const client of clients.filter(({ name }) => values.client === undefined || name === values.client)) {
  const installed = await install(client, root)
  if ('missing' in installed) {
    missing.push({ client: client.name, why: installed.missing })
    continue
  }
  for (const { name, fault } of chosen) {
    for (const gateway of [false, true]) {
      if (values.only === (gateway ? 'without' : 'with')) continue
      const done = await runJob({ client, bin: installed.bin, fault, patienceMs, ...(gateway && { lastgood }) })
      rows.push({ client: client.name, fault: name, gateway, ...done })
      process.stderr.write(`${client.name} ${gateway ? 'with' : 'without'} the gateway, ${name}: ${verdict(done)}\n`)
      if (gateway && !isDone(done)) process.stderr.write(`${done.said}\n`)
    }
  }
}

const machine = surroundings()
if (values.json) process.stdout.write(`${JSON.stringify({ machine, rows, missing }, null, 2)}\n`)
else {
  const names = [...new Set(rows.map(({ client }) => client))]
  const columns = ['fault', ...names.flatMap((name) => [`${name} alone`, `${name} with lastgood`])]
  const table = chosen.map(({ name }) => [
    name,
    ...names.flatMap((client) =>
      [false, true].map((gateway) => {
        const row = rows.find((one) => one.client === client && one.fault === name && one.gateway === gateway)
        return row ? verdict(row) : ''
      }),
    ),
  ])
  process.stdout.write(`${formatTable(columns, table, values.md)}\n\n${surroundingsLine(machine)}\n`)
  for (const { client, why } of missing) process.stdout.write(`not installed: ${client}: ${why}\n`)
}
process.exitCode = rows.some((row) => row.gateway && !isDone(row)) ? 1 : 0

function verdict(done: JobDone): string {
  const seconds = `${(done.ms / 1000).toFixed(0)} s`
  if (isDone(done)) return `done, ${seconds}${done.isHit ? '' : ' (nothing failed)'}`
  const twice = done.steps.filter((step, at) => done.steps.indexOf(step) !== at)
  if (twice.length > 0) return `ran ${twice.join()} twice`
  if (done.exitCode === null) return `hung for ${seconds}`
  return `exit ${done.exitCode} after ${done.steps.length} of 3 steps`
}
