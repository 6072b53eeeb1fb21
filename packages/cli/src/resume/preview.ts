/**
 * What a resume would do and cost, determined without opening the session: nothing is written, no lease is taken.
 */
import {
  foldHistory,
  journalVersion,
  machineVersion,
  readHistory,
  step,
  type Entry,
  type Session,
  type Snapshot,
  type Store,
} from '@lastgood/core'
import { confirmed } from '../confirm.ts'
import type { CliContext } from '../context.ts'
import { costLine, readCost, type ReadCost } from '../cost/cost.ts'
import type { Prices } from '../cost/prices.ts'
import type { LastgoodConfig } from '../config.ts'
import type { Located } from '../sessions/locate.ts'
import { jsonDocument, safeText } from '../text.ts'
import { standing, type Standing } from './standing.ts'

export interface Preview extends Standing {
  /** Undefined for a session that has not pinned an envelope yet. */
  readonly cost: ReadCost | undefined
}

export async function previewOf(
  store: Store,
  sessionId: string,
  now: number,
  prices: Prices | undefined,
): Promise<Preview> {
  const history = readHistory(store, sessionId)
  const { snapshot, owed, transcript } = await foldHistory(history, machineVersion)
  const { turn, lastGoodTurn } = snapshot.context
  const next = owedOnceResumed(snapshot, now) ?? owed ?? { kind: 'rest' }
  return { turn, lastGoodTurn, owed: next, transcript, cost: costBefore(transcript, now, prices) }
}

/** A parked session owes nothing until it is resumed, so the preview applies a `session-resumed` entry first. */
function owedOnceResumed(snapshot: Snapshot, now: number): Session['owed'] | undefined {
  if (snapshot.value !== 'suspended' && snapshot.value !== 'refused') return undefined
  const owner = { id: 'preview', host: '', realm: '', pid: 0 }
  const resumed: Entry = { type: 'session-resumed', owner, v: journalVersion, seq: 1, at: now, fence: 1, lane: 'main' }
  return step(snapshot, resumed).effect
}

export function costBefore(
  transcript: Session['transcript'],
  now: number,
  prices: Prices | undefined,
): ReadCost | undefined {
  const { envelope } = transcript
  return envelope && readCost({ transcript, envelope, now, prices })
}

/** Shows a picked session's preview, and asks if the cost is above the configured limit. */
export async function isWorthIt(
  context: CliContext,
  { row, opened }: Located,
  { yes, json, jsonl, quiet, input, preview: isPicked }: WorthOptions,
  config: LastgoodConfig | undefined,
): Promise<boolean> {
  const most = yes ? undefined : config?.confirmAboveUsd
  if (!isPicked && most === undefined) return true
  const now = context.clock.now()
  const preview = await previewOf(opened.store, row.head.sessionId, now, config?.prices)
  const { cost } = preview
  if (isPicked && !quiet) for (const line of previewLines(preview, cost, now)) context.stderr.write(`${line}\n`)
  if (most === undefined || !cost || (cost.usd !== undefined && cost.usd <= most)) return true
  const isNobodyAsked = json === true || jsonl === true || input === false
  return confirmed(context, `This costs ${costLine(cost)}. Continue?`, { json: isNobodyAsked })
}

export interface WorthOptions {
  yes?: boolean
  json?: boolean
  jsonl?: boolean
  quiet?: boolean
  /** False: no question is asked. */
  input?: boolean
  /** The session was picked: show the preview in any case. */
  preview?: boolean
}

/** Where the session stands, and what reading it costs. */
export function previewLines(stands: Standing, cost: ReadCost | undefined, now: number): string[] {
  return [...standing(stands, now), ...(cost ? [`cost     ${costLine(cost)}`] : [])].map(safeText)
}

/** `--dry-run`. `command`: the command that resumes the session. */
export function tellPreview(
  { stdout, stderr, clock }: CliContext,
  sessionId: string,
  preview: Preview,
  { command, json }: { command: string; json: boolean },
): void {
  const { turn, lastGoodTurn, owed, transcript, cost } = preview
  if (json) {
    const inDoubt = transcript.unanswered.flatMap(({ state, name }) => (state === 'started' ? [name] : []))
    const document = {
      schema: 'lastgood.resume-preview/v1',
      sessionId,
      turn,
      lastGoodTurn,
      owes: owed.kind,
      inDoubt,
      cost,
    }
    stdout.write(jsonDocument({ ...document, command }))
    return
  }
  for (const line of previewLines(preview, cost, clock.now())) stderr.write(`${line}\n`)
  stderr.write('dry run: nothing was sent, and nothing was changed; continue with\n')
  stdout.write(`${command}\n`)
}
