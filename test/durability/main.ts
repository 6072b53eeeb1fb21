/**
 * `pnpm durability`: which acknowledged writes a killed Redis server loses, setting by setting. Exit code 1 if a
 * setting that promises to keep everything did not.
 */
import { count, flag, runCommand, words } from '../support/command.ts'
import { formatTable, surroundings, surroundingsLine } from '../support/report.ts'
import { brokenPromises, columns, playCampaign, row } from './campaign.ts'
import { settingNames } from './settings.ts'

process.exitCode = await runCommand({
  name: 'durability',
  flags: {
    rounds: count('kills of each setting', 20),
    seed: count('', 1),
    setting: words(`one of ${settingNames.join(', ')}; may be repeated, default all`),
    json: flag('results as JSON'),
    md: flag('the table in Markdown'),
  },
  async run(given, tell) {
    const [rounds = 0, seed = 0] = ['rounds', 'seed'].map(given.count)
    const campaign = await playCampaign({ names: given.chosen('setting', settingNames), rounds, seed }, tell)
    const broken = brokenPromises(campaign)
    const at = surroundings()
    const verdict =
      broken.length === 0 ? 'Every promise was kept.' : `Broken:\n${broken.map((one) => `- ${one}`).join('\n')}`
    const footer = `Redis ${campaign.redis}, ${surroundingsLine(at)}, seed ${seed}`
    return {
      results: { ...at, seed, ...campaign, broken },
      report: (isMarkdown) =>
        [formatTable(columns, campaign.results.map(row), isMarkdown), footer, verdict].join('\n\n'),
      exitCode: broken.length === 0 ? 0 : 1,
    }
  },
})
