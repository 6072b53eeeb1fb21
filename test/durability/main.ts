/**
 * `pnpm durability`: which acknowledged writes a killed Redis server loses, setting by setting. Exit code 1 if a
 * setting that promises to keep everything did not.
 */
import { parseArgs } from 'node:util'
import { formatTable, surroundings, surroundingsLine } from '../bench/report.ts'
import { brokenPromises, columns, playCampaign, row } from './campaign.ts'
import { settingNames, type SettingName } from './settings.ts'

const usage = `Usage: pnpm durability [options]

  --rounds <n>            kills of each setting, default 20
  --seed <n>              default 1
  --setting <name>        one of ${settingNames.join(', ')};
                          may be repeated, default all
  --json, --md            results as JSON, or the table in Markdown`

const options = {
  json: { type: 'boolean', default: false },
  md: { type: 'boolean', default: false },
  rounds: { type: 'string', default: '20' },
  seed: { type: 'string', default: '1' },
  setting: { type: 'string', multiple: true },
} as const

const isSetting = (name: string): name is SettingName => settingNames.some((one) => one === name)

function readArguments() {
  try {
    return parseArgs({ options }).values
  } catch {
    return undefined // an option that is not known
  }
}

async function main(): Promise<number> {
  const values = readArguments()
  const [rounds, seed] = [Number(values?.rounds), Number(values?.seed)]
  const chosen = values?.setting ?? settingNames
  const names = chosen.filter(isSetting)
  const isSound = [rounds, seed].every((one) => Number.isInteger(one) && one > 0) && names.length === chosen.length
  if (!values || !isSound) {
    console.error(usage)
    return 2
  }
  const campaign = await playCampaign({ names, rounds, seed }, (line) => process.stderr.write(`${line}\n`))
  const broken = brokenPromises(campaign)
  const at = surroundings()
  if (values.json) console.log(JSON.stringify({ ...at, seed, ...campaign, broken }, null, 2))
  else {
    const table = formatTable(columns, campaign.results.map(row), values.md)
    const verdict =
      broken.length === 0 ? 'Every promise was kept.' : `Broken:\n${broken.map((one) => `- ${one}`).join('\n')}`
    console.log([table, `Redis ${campaign.redis}, ${surroundingsLine(at)}, seed ${seed}`, verdict].join('\n\n'))
  }
  return broken.length === 0 ? 0 : 1
}

process.exitCode = await main()
