/** A report for programs, `lastgood.report/v1`: instants are ISO 8601, absent facts are null. Pure. */
import { iso, isoOrNull } from '../../durations.ts'
import { resumeCommandOf } from '../../sessions/session-row.ts'
import { summaryOf } from './summary.ts'
import type { ExtraCost } from './extra-cost.ts'
import type { GoneTurn } from './lost-turns.ts'
import type { Outage } from '../../outages/model-outages.ts'
import { answeredBy } from '../../outages/trouble.ts'
import type { Report, SessionLine } from './report.ts'
import type { RecoveriesBy } from './session-account.ts'

export function reportJson(report: Report, flags: readonly string[]): object {
  const { since, now, outages, outageMs, sessions, recoveries, calls, extra, unreadable, read } = report
  const { bySelf, standings, lost } = summaryOf(report)
  return {
    since: iso(since),
    until: iso(now),
    summary: {
      outages: outages.length,
      outageMs,
      sessionsRead: read,
      sessionsTouched: sessions.length,
      recoveredBySelf: bySelf,
      standings,
      turnsLost: lost,
      calls,
      extra: extraJson(extra),
    },
    outages: outages.map((one) => outageJson(one, now)),
    recoveries: recoveriesJson(recoveries),
    sessions: sessions.map((one) => sessionJson(one, flags)),
    unreadable,
  }
}

function outageJson({ model, from, to, faults, said, sessions, labels }: Outage, now: number): object {
  return {
    model,
    from: iso(from),
    to: isoOrNull(to),
    durationMs: (to ?? now) - from,
    sessions: sessions.size,
    faults,
    wire: [...labels].map(([label, count]) => ({ label, count })),
    said: said ?? null,
  }
}

/** Only the ways of recovery that occurred. */
function recoveriesJson(recoveries: RecoveriesBy): object {
  const taken = answeredBy.filter((how) => recoveries[how].count > 0)
  return Object.fromEntries(taken.map((how) => [how, recoveries[how]]))
}

function sessionJson(line: SessionLine, flags: readonly string[]): object {
  const { row, standing, isBySelf, faults, troubles, recoveries, openSince, parked, turnsLost, turnsTakenBack } = line
  const { sessionId, agent, cwd, model, turn, lastGoodTurn, updatedAt } = row.head
  return {
    sessionId,
    standing,
    bySelf: isBySelf,
    agent: agent ?? null,
    model: model ?? null,
    cwd: cwd ?? null,
    turn,
    lastGoodTurn,
    updatedAt: iso(updatedAt),
    faults,
    troubles,
    recoveries: recoveriesJson(recoveries),
    inTroubleSince: isoOrNull(openSince),
    reason: parked?.reason ?? null,
    retryAt: isoOrNull(parked?.retryAt),
    turnsLost: turnsLost.map(goneJson),
    turnsTakenBack,
    calls: line.calls,
    extra: extraJson(line.extra),
    command: standing === 'recovered' || standing === 'waiting' ? null : (resumeCommandOf(row.head, flags) ?? null),
  }
}

const goneJson = ({ turn, was, at, reason }: GoneTurn): object => ({ turn, was, at: iso(at), reason })

function extraJson({ repeated, reread, usd, unpriced }: ExtraCost): object {
  return { repeatedTokens: repeated, rereadTokens: reread, usd, unpriced: [...unpriced] }
}
