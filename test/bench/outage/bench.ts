/** `bench outage`: each outage profile, played against lastgood's sessions and those of other clients. */
import type { ProfileName } from '@lastgood/outage-lab'
import { inThreads } from '../../support/in-threads.ts'
import { formatTable, type Surroundings, surroundingsLine } from '../../support/report.ts'
import { clients, type Played, type PlayOptions } from './play.ts'
import { brokenRules } from './rules.ts'
import { breakerColumns, breakerRow, outageColumns, outageRow } from './table.ts'

export interface OutageBenchOptions {
  readonly profiles: readonly ProfileName[]
  readonly sessions: number
  readonly steps: number
  readonly seed: number
  readonly jobs: number
}

export interface OutageResults {
  readonly played: readonly Played[]
  readonly broken: readonly string[]
}

export async function benchOutage(
  { profiles, jobs, ...options }: OutageBenchOptions,
  onProgress: (line: string) => void,
): Promise<OutageResults> {
  const program = new URL('play-thread.js', import.meta.url)
  const plays = profiles.flatMap((profile) =>
    clients.map((client): PlayOptions => ({ profile, client, ...options, judgeEvery: 50 })),
  )
  const played = await inThreads<Played>(program, plays, jobs, ({ profile, client, completed, sessions }) =>
    onProgress(`${profile}, ${client}: ${completed} of ${sessions} sessions completed`),
  )
  return { played, broken: played.flatMap(brokenRules) }
}

export function outageReport({ played, broken }: OutageResults, isMarkdown: boolean, at: Surroundings): string {
  const own = played.filter(({ client }) => client === 'lastgood')
  return [
    formatTable(outageColumns, played.map(outageRow), isMarkdown),
    formatTable(breakerColumns, own.map(breakerRow), isMarkdown),
    surroundingsLine(at),
    broken.length === 0 ? 'All rules hold.' : `Broken rules:\n${broken.map((one) => `- ${one}`).join('\n')}`,
  ].join('\n\n')
}
