/** The verdict: a pure function of the evidence. It states only what was counted, and what was found wrong. */
import { checks, toolsRunTwice } from './checks.ts'
import type { Evidence, LabEvidence } from './evidence.ts'
import { endedTurns, tokensAround } from './facts.ts'
import { isRefused, refusals, turnsOfOther } from './received.ts'

export interface FailedCheck {
  readonly check: string
  readonly found: string
}

/** Counted from the lab's records; absent with the real API. */
export interface LabCounts {
  /** API failures that occurred, each waited out or answered by another model. */
  readonly faultsSurvived: number
  /** Turns that the fallback model ended, and those after which the first model had the next turn. */
  readonly turnsByOther: number
  readonly turnsTakenBack: number
  /** Requests that the API refused for their content, and those that it accepted once they were mended. */
  readonly requestsRefused: number
  readonly requestsMended: number
  /** How often the status page was read. */
  readonly pageReadings: number
}

export interface Verdict extends Partial<LabCounts> {
  readonly ok: boolean
  /** Turns asked for that did not end, or that differ from what was asked. */
  readonly turnsLost: number
  /** Tool calls that ran more than once. */
  readonly toolsRunTwice: number
  /** The last good turn at the kill. */
  readonly resumedFromTurn: number
  /** Input tokens of the resumed request that had been sent before. */
  readonly inputTokensResent: number
  /** Input tokens of all answers before the kill: what a new session would send to get as far. */
  readonly inputTokensStartingOver: number
  /** The share of the resumed request's input that was read from the prompt cache, 0 to 1. */
  readonly cacheHitShare: number
  readonly testsPass: boolean
  readonly checksPassed: number
  readonly failed: readonly FailedCheck[]
}

export async function judge(evidence: Evidence): Promise<Verdict> {
  const failed: FailedCheck[] = []
  const asked = checks.filter(({ needsLab }) => !needsLab || evidence.lab)
  for (const { name, find } of asked) {
    const found = await find(evidence)
    if (typeof found === 'string') failed.push({ check: name, found })
  }
  const { prompts, atKill, atEnd, repository, lab } = evidence
  const { before, allBefore, resumed } = tokensAround(atKill.entries.length, atEnd.entries)
  return {
    ok: failed.length === 0,
    turnsLost: prompts.length - endedTurns(prompts, atEnd.entries),
    toolsRunTwice: toolsRunTwice(evidence),
    resumedFromTurn: atKill.head?.lastGoodTurn ?? 0,
    inputTokensResent: Math.min(before, resumed.input),
    inputTokensStartingOver: allBefore,
    cacheHitShare: resumed.input === 0 ? 0 : Math.round((resumed.cacheRead / resumed.input) * 1000) / 1000,
    ...(lab && countsOf(lab, prompts)),
    testsPass: repository.tests.exitCode === 0,
    checksPassed: asked.length - failed.length,
    failed,
  }
}

function countsOf(lab: LabEvidence, prompts: readonly string[]): LabCounts {
  const { taken, takenBack } = turnsOfOther(lab, prompts)
  const { refused, mended } = refusals(lab)
  return {
    faultsSurvived: lab.requests.filter((request) => request.kind === 'fault' && !isRefused(request)).length,
    turnsByOther: taken,
    turnsTakenBack: takenBack,
    requestsRefused: refused,
    requestsMended: mended,
    pageReadings: lab.page.readings.length,
  }
}
