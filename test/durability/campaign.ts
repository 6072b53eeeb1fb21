/** Rounds of each setting, one after another, and their results. */
import { findRedisServer } from '../support/find-redis-server.ts'
import { playRound, type Round } from './round.ts'
import { type Setting, settings, type SettingName, unavailable } from './settings.ts'

export interface CampaignOptions {
  readonly names: readonly SettingName[]
  readonly rounds: number
  readonly seed: number
}

export interface Result {
  readonly setting: Setting
  readonly rounds: readonly Round[]
  /** Why no round was played. */
  readonly unavailable?: string
}

export interface Campaign {
  readonly redis: string
  readonly results: readonly Result[]
}

export async function playCampaign(
  { names, rounds, seed }: CampaignOptions,
  onProgress: (line: string) => void,
): Promise<Campaign> {
  const { version } = await findRedisServer()
  const results: Result[] = []
  for (const setting of settings.filter(({ name }) => names.includes(name))) {
    const reason = unavailable(setting, version)
    const played: Round[] = []
    for (let round = 0; round < (reason === undefined ? rounds : 0); round++) {
      const one = await playRound(setting, seed * 1_000 + round)
      played.push(one)
      onProgress(`${setting.label}: ${one.acknowledged} acknowledged, ${one.lost} lost`)
    }
    results.push({ setting, rounds: played, ...(reason !== undefined && { unavailable: reason }) })
  }
  return { redis: version, results }
}

/** Settings that promise to keep everything and did not. */
export function brokenPromises({ results }: Campaign): string[] {
  return results.flatMap(({ setting, rounds }) => {
    const lost = sum(rounds, 'lost')
    return setting.keepsAll && lost > 0 ? [`${setting.label} lost ${lost} acknowledged entries`] : []
  })
}

export const columns = ['setting', 'server', 'rounds', 'acknowledged', 'lost', 'rounds with a loss', 'most in a round']

export function row({ setting, rounds, unavailable: reason }: Result): string[] {
  if (reason !== undefined) return [setting.label, reason, '0', '-', '-', '-', '-']
  return [
    setting.label,
    `killed, ${setting.back}`,
    String(rounds.length),
    String(sum(rounds, 'acknowledged')),
    String(sum(rounds, 'lost')),
    String(rounds.filter(({ lost }) => lost > 0).length),
    String(Math.max(0, ...rounds.map(({ lost }) => lost))),
  ]
}

function sum(rounds: readonly Round[], what: keyof Round): number {
  return rounds.reduce((total, round) => total + round[what], 0)
}
