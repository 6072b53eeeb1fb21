/** The results of the simulation, for people. */
import { isPartial, type Simulated } from './simulate.ts'

export const fleetColumns = [
  'outage',
  'sessions',
  'noticed',
  'half back',
  '99 % back',
  'all back',
  'peak 1 s',
  '10 s',
  'answered',
  'wasted',
  'wasted after',
]

export function fleetRow(one: Simulated): string[] {
  const { scenario, client, usual, noticedMs, halfBackMs, backMs, allBackMs } = one
  const { peak1s, peak10s, answered, wasted, wastedAfter } = one
  const seconds = (ms: number | undefined) =>
    ms === undefined || isPartial(scenario) ? '-' : `${Math.round(ms / 1000)} s`
  return [
    client === 'fleet' ? scenario : '',
    client,
    seconds(noticedMs),
    seconds(halfBackMs),
    seconds(backMs),
    seconds(allBackMs),
    `${(peak1s / usual).toFixed(2)}x`,
    `${(peak10s / usual).toFixed(2)}x`,
    // Other runs end when all sessions are back, so their numbers are not comparable.
    isPartial(scenario) ? thousands(answered) : '-',
    thousands(wasted),
    thousands(wastedAfter),
  ]
}

function thousands(count: number): string {
  return count < 10_000 ? String(count) : `${Math.round(count / 1000).toLocaleString('en-US')}k`
}
