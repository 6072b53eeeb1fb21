/**
 * `pnpm crash`: kills real agents and counts what was lost, done twice or stuck. Exit code 1 if anything was.
 */
import { parseArgs } from 'node:util'
import { runCampaign } from './campaign.ts'
import { storeNames, type StoreName } from './place.ts'
import { report } from './report.ts'

const usage = `Usage: pnpm crash [options]

  --kills <n>             kills in all, default 100
  --minutes <n>           begin no further session after that, default: no limit
  --store <name>          ${storeNames.join(' or ')}, default file; redis starts a server of its own
  --server-kills <n>      kills of that server, on top, default 0
  --seed <n>              default 1
  --json                  the counts as JSON`

const options = {
  kills: { type: 'string', default: '100' },
  minutes: { type: 'string', default: 'Infinity' },
  store: { type: 'string', default: 'file' },
  'server-kills': { type: 'string', default: '0' },
  seed: { type: 'string', default: '1' },
  json: { type: 'boolean', default: false },
} as const

const isStore = (name: string): name is StoreName => storeNames.some((one) => one === name)

function readArguments() {
  try {
    const { values } = parseArgs({ options })
    const { store, json } = values
    const [kills, seed, serverKills] = [Number(values.kills), Number(values.seed), Number(values['server-kills'])]
    const minutes = Number(values.minutes)
    const isWhole = [kills, seed, serverKills].every(Number.isInteger)
    const isSound = isWhole && kills > 0 && seed > 0 && serverKills >= 0 && minutes > 0
    if (!isSound || !isStore(store) || (store === 'file' && serverKills > 0)) return undefined
    return { kills, minutes, seed, store, serverKills, json }
  } catch {
    return undefined // an option that is not known
  }
}

async function main(): Promise<number> {
  const read = readArguments()
  if (!read) {
    console.error(usage)
    return 2
  }
  const { json, ...plan } = read
  const startedAt = performance.now()
  const tell = (line: string): void => {
    process.stderr.write(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(5)} s  ${line}\n`)
  }
  const result = await runCampaign({ ...plan, tell })
  console.log(json ? JSON.stringify(result, null, 2) : report(result))
  return result.findings.length === 0 ? 0 : 1
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.exitCode = await main()
