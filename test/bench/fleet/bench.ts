/** `bench fleet --simulate`: how a fleet comes back from an outage, beside fleets whose sessions share nothing. */
import { formatTable, type Surroundings, surroundingsLine } from '../report.ts'
import { brokenRules } from './rules.ts'
import { clientNames, isPartial, scenarioNames, type Simulated } from './simulate.ts'
import { fleetColumns, fleetRow } from './table.ts'
import { simulateAll } from './workers.ts'

export interface FleetBenchOptions {
  readonly sessions: number
  readonly workers: number
  readonly seed: number
  readonly jobs: number
}

export interface FleetResults {
  readonly simulated: readonly Simulated[]
  readonly broken: readonly string[]
}

export async function benchFleet(
  { jobs, ...options }: FleetBenchOptions,
  onProgress: (line: string) => void,
): Promise<FleetResults> {
  const runs = scenarioNames.flatMap((scenario) =>
    clientNames
      .filter((client) => !isPartial(scenario) || client === 'fleet' || client === 'back-off to 60 s')
      .map((client) => ({ scenario, client, ...options })),
  )
  const simulated = await simulateAll(runs, jobs, ({ scenario, client, requests }) =>
    onProgress(`${scenario}, ${client}: ${requests} requests`),
  )
  return { simulated, broken: brokenRules(simulated) }
}

export function fleetReport({ simulated, broken }: FleetResults, isMarkdown: boolean, at: Surroundings): string {
  return [
    formatTable(fleetColumns, simulated.map(fleetRow), isMarkdown),
    surroundingsLine(at),
    broken.length === 0 ? 'All rules hold.' : `Broken rules:\n${broken.map((one) => `- ${one}`).join('\n')}`,
  ].join('\n\n')
}
