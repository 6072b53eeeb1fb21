/** `bench fleet --simulate`: how a fleet comes back from an outage, beside fleets whose sessions share nothing. */
import { inThreads } from '../../support/in-threads.ts'
import { formatTable, type Surroundings, surroundingsLine } from '../../support/report.ts'
import { brokenRules } from './rules.ts'
import { clientNames, isPartial, scenarioNames, type Simulated, type SimulationOptions } from './simulate.ts'
import { fleetColumns, fleetRow } from './table.ts'

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
  const program = new URL('simulate-thread.js', import.meta.url)
  const runs = scenarioNames.flatMap((scenario) =>
    clientNames
      .filter((client) => !isPartial(scenario) || client === 'fleet' || client === 'back-off to 60 s')
      .map((client): SimulationOptions => ({ scenario, client, ...options })),
  )
  const simulated = await inThreads<Simulated>(program, runs, jobs, ({ scenario, client, requests }) =>
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
