/** The counts of a campaign as a table, for people. */
import type { CampaignResult } from './campaign.ts'
import { offences, type Offence } from './judge.ts'

export function report(result: CampaignResult): string {
  const { store, seed, kills, sessions, processes, acknowledged, calls, inDoubt, requests, faults } = result
  const seen: [number, string][] = [
    [kills, 'kills'],
    ...(result.serverKills > 0 ? [[result.serverKills, 'kills of the server'] as [number, string]] : []),
    [sessions, 'sessions: agents, loops of their own, and such whose effects are steps'],
    [processes, 'processes'],
    [acknowledged, 'entries acknowledged'],
    [calls, 'tool calls begun'],
    [inDoubt, 'calls told to the model as of unknown outcome'],
    [requests, `requests, of which ${faults} failed as scripted`],
  ]
  const never = Object.entries(offences).map(([name, what]): [number, string] => [
    result.offences[name as Offence],
    what,
  ])
  const where = Object.entries(result.killedWhile).sort(([, a], [, b]) => b - a)
  const rows = (lines: readonly [number, string][]) =>
    lines.map(([count, what]) => `${String(count).padStart(8)}  ${what}`)
  return [
    `${store} store, seed ${seed}`,
    ...rows(seen),
    '',
    'Must be 0:',
    ...rows(never),
    '',
    'Killed right after, or while:',
    ...rows(where.map(([what, count]) => [count, what])),
    ...result.findings.map(({ offence, session, what }) => `\n${offence} in ${session}: ${what}`),
  ].join('\n')
}
