/** What must hold of the fleet in every simulated outage. */
import { isPartial, type Simulated } from './simulate.ts'

export function brokenRules(simulated: readonly Simulated[]): string[] {
  return simulated
    .filter(({ client }) => client === 'fleet')
    .flatMap((fleet) => {
      const { scenario, allBackMs, peak1s, peak10s, usual, wasted, answered } = fleet
      const alone = simulated.filter((one) => one.scenario === scenario && one.client.startsWith('back-off'))
      const leastWaste = Math.min(...alone.map((one) => one.wasted))
      const mostAnswers = Math.max(...alone.map((one) => one.answered))
      return [
        allBackMs === undefined && `${scenario}: not all sessions came back`,
        // Chance may add four standard deviations to the rate of a single second.
        peak1s > 2 * usual + 4 * Math.sqrt(2 * usual) && `${scenario}: a second with more than twice the usual rate`,
        peak10s > 2 * usual && `${scenario}: ten seconds at more than twice the usual rate`,
        !isPartial(scenario) &&
          wasted * 10 > leastWaste &&
          `${scenario}: more than a tenth of the waste of back-off alone`,
        isPartial(scenario) && answered < 0.98 * mostAnswers && `${scenario}: sessions are held that could work`,
      ].filter((rule) => rule !== false)
    })
}
