/**
 * `pnpm crash`: kills real agents and counts what was lost, done twice or stuck. Exit code 1 if anything was.
 */
import { BadOption, count, flag, runCommand, words } from '../../support/command.ts'
import { runCampaign } from './campaign.ts'
import { storeNames } from './place.ts'
import { report } from './report.ts'

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.exitCode = await runCommand({
  name: 'crash',
  flags: {
    kills: count('kills in all', 100),
    minutes: count('begin no further session after that, default: no limit'),
    store: words(`${storeNames.join(' or ')}, default file; redis starts a server of its own`),
    'server-kills': count('kills of that server, on top', 0),
    seed: count('', 1),
    json: flag('the counts as JSON'),
  },
  async run(given, tell) {
    const [store = 'file'] = given.chosen('store', storeNames)
    const [kills = 0, serverKills = 0, seed = 0] = ['kills', 'server-kills', 'seed'].map(given.count)
    if (store === 'file' && serverKills > 0) throw new BadOption('--server-kills is for --store redis')
    const minutes = given.count('minutes') ?? Infinity
    const results = await runCampaign({ kills, minutes, seed, store, serverKills, tell })
    return { results, report: () => report(results), exitCode: results.findings.length === 0 ? 0 : 1 }
  },
})
