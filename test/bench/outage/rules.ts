/**
 * What must hold of lastgood in every outage. A broken rule fails the benchmark; the times it takes are only reported.
 */
import type { Played } from './play.ts'

/** Faults that only a person, or the account's owner, can fix. */
const forPeople: ReadonlySet<string> = new Set(['spend-blocked', 'auth-blocked'])
/** More failed requests in a minute than this are a loop: no back-off comes near it. */
const loopAbove = 20

/**
 * The broken rules, in words; none for other clients, which are there for comparison.
 *
 * The rate may double. In a single second chance may add four standard deviations of as many independent requests.
 */
export function brokenRules(played: Played): string[] {
  if (played.client !== 'lastgood') return []
  const { profile, gaveUp, parked, stuck, pastBreaker, failedInAMinute, invalid, rateBefore } = played
  const wrongly = [...Object.keys(gaveUp), ...Object.keys(parked)].filter((why) => !forPeople.has(why))
  const broken: [boolean, string][] = [
    [stuck > 0, `${stuck} sessions neither complete nor end`],
    [wrongly.length > 0, `sessions are parked for what passes by itself: ${[...new Set(wrongly)].join(', ')}`],
    [failedInAMinute > loopAbove, `a session sends ${failedInAMinute} failing requests in a minute`],
    [pastBreaker > 0, `${pastBreaker} requests leave while the breaker is open, beside the probe`],
    [invalid.length > 0, `${invalid.length} requests are against the rules of the API: ${invalid[0]}`],
    ...(['peak1s', 'peak10s', 'peakMinute'] as const).map((peak): [boolean, string] => [
      played[peak] > 2 * rateBefore + (peak === 'peak1s' ? 4 * Math.sqrt(2 * rateBefore) : 0),
      `after recovery the rate is ${(played[peak] / rateBefore).toFixed(2)} times the usual (${peak})`,
    ]),
  ]
  return broken.flatMap(([isBroken, what]) => (isBroken ? [`${profile}: ${what}`] : []))
}
