/** One session for its page: its turns as `lastgood show` has them, and what a resume would do. Without content unless asked. */
import { readHistory, withBlobs, withoutSecrets, type Entry, type Store } from '@lastgood/core'
import type { ResumePreview, SessionDocument, StartedResume, Step, TurnReport } from '@lastgood/dashboard'
import { inputLabel } from '../call-label.ts'
import { costLine } from '../cost/cost.ts'
import type { Prices } from '../cost/prices.ts'
import { iso } from '../durations.ts'
import { SessionOutages } from '../outages/session-outages.ts'
import { previewOf } from '../resume/preview.ts'
import { owing } from '../resume/standing.ts'
import type { SessionRow } from '../sessions/session-row.ts'
import { SessionReport, totalsOf } from '../show/report.ts'
import type { StatusReport } from '../status/verdict.ts'
import { providerBands, statusPageBands } from './bands.ts'
import { sessionCard } from './session-card.ts'
import { longestQuoted, shownEntry, withContent } from './shown-entry.ts'

export interface SessionFacts {
  readonly store: Store
  readonly row: SessionRow
  readonly flags: readonly string[]
  readonly agents: ReadonlySet<string>
  readonly now: number
  readonly hasContent: boolean
  readonly page: StatusReport['page']
  readonly prices: Prices | undefined
  readonly started: StartedResume | null
}

/** Errors: those of reading the journal, and the reason of `left`, which aborts when nobody waits for it any more. */
export async function sessionDocument(facts: SessionFacts, left?: AbortSignal): Promise<SessionDocument> {
  const { store, row, now, hasContent, page, started } = facts
  const { sessionId } = row.head
  const report = new SessionReport()
  const outages = new SessionOutages()
  let firstRequestAt: number | undefined
  for await (const { entry, isInherited } of readHistory(store, sessionId)) {
    left?.throwIfAborted()
    report.take(shownEntry(entry, hasContent, longestQuoted), isInherited)
    outages.take(entry)
    if (entry.type === 'request-sent') firstRequestAt ??= entry.at
  }
  const turns = hasContent ? report.turns : report.turns.map(withoutQuotes)
  return {
    schema: 'lastgood.session-page/v1',
    at: iso(now),
    card: sessionCard(row, { ...facts, survived: outages.lastSurvived }),
    hasContent,
    before: hasContent ? report.before : report.before.map(withoutQuote),
    turns,
    totals: totalsOf(turns),
    bands: {
      provider: providerBands(outages.all, firstRequestAt, row.head.updatedAt),
      statusPage: statusPageBands(page, row.head.model),
    },
    resume: row.isRecoverable || row.isForWorkers ? await resumePreview(facts) : null,
    started,
  }
}

/** One entry of a session's own journal; undefined where there is none. */
export async function shownEntryAt(
  store: Store,
  sessionId: string,
  seq: number,
  hasContent: boolean,
): Promise<Entry | undefined> {
  for await (const entry of withBlobs(store, sessionId, store.read(sessionId, seq - 1))) {
    return entry.seq === seq ? shownEntry(entry, hasContent) : undefined
  }
  return undefined
}

async function resumePreview({ store, row, now, hasContent, prices }: SessionFacts): Promise<ResumePreview> {
  const preview = await previewOf(store, row.head.sessionId, now, prices)
  const { turn, lastGoodTurn, transcript, cost } = preview
  return {
    turn,
    lastGoodTurn,
    does: owing(preview, now),
    tokens: cost?.tokens ?? null,
    cache: cost?.cache ?? null,
    usd: cost?.usd ?? null,
    cost: cost ? costLine(cost) : null,
    inDoubt: transcript.unanswered
      .filter(({ state }) => state === 'started')
      .map(({ name, input, rule = 'report' }) => ({
        name,
        // A tool may have got the rule since: then the session waits for a person.
        rule: row.status === 'needs-input' ? 'ask' : rule,
        input: hasContent ? withoutSecrets(inputLabel(withContent(input), 120)) : '',
      })),
  }
}

function withoutQuotes(turn: TurnReport): TurnReport {
  return { ...turn, message: '', steps: turn.steps.map(withoutQuote) }
}

function withoutQuote(step: Step): Step {
  if (step.kind === 'answer') return { ...step, text: '' }
  if (step.kind === 'fault') return { ...step, message: '' }
  return step.kind === 'tool' ? { ...step, input: '', result: '' } : step
}
