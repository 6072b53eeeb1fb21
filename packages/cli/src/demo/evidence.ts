/**
 * What the verdict rests on: five independent witnesses. The journal is lastgood's own word; the lab, the repository,
 * the referee's file and the demo's notes of the kill are not.
 */
import type { Entry, FaultKind, Head, Store, Usage } from '@lastgood/core'
import type { Lab } from '@lastgood/outage-lab'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Env } from '../context.ts'
import { git, type DemoFolder } from './folder.ts'
import { labCall, type LabCall, type PageReading } from './status-page.ts'
import type { Effect } from './tools/effects-log.ts'
import { commandEnv } from './tools/run-tool.ts'

/** The journal and its head at one moment. */
export interface Recorded {
  readonly entries: readonly Entry[]
  readonly head: Head | undefined
}

export interface LabRequest extends LabCall {
  /** The exact body. */
  readonly raw: string
  readonly kind: 'ok' | 'fault' | 'rejected' | 'other' | 'pending'
  readonly outage?: string
  readonly messageId?: string
  readonly usage?: Usage
  /** What was wrong with the transcript. */
  readonly violation?: string
}

export interface LabEvidence {
  readonly requests: readonly LabRequest[]
  /** The scripted outages, in order. */
  readonly script: readonly { readonly name: string; readonly kind: FaultKind; readonly times: number }[]
  /** The requested model, and its fallback. */
  readonly models: readonly [first: string, other: string]
  /** The readings of the status page, and how often the page was requested from the API. */
  readonly page: { readonly readings: readonly PageReading[]; readonly visits: number }
  /** The tool definitions of the code before and after the redeploy, as JSON. */
  readonly deployed: { readonly before: string; readonly after: string }
}

export interface RepositoryEvidence {
  /** The lines of `migrations.log`. */
  readonly ledger: readonly string[]
  /** Subjects, newest first. */
  readonly commits: readonly string[]
  /** The lines of `migrations.log` in the newest commit. */
  readonly committedLedger: readonly string[]
  readonly isClean: boolean
  readonly tests: { readonly exitCode: number | null; readonly pass: number; readonly fail: number }
}

export interface Evidence {
  readonly sessionId: string
  readonly prompts: readonly string[]
  readonly atKill: Recorded
  readonly atEnd: Recorded
  /** How the resumed process ended. */
  readonly resumeExitCode: number | null
  readonly effects: readonly Effect[]
  readonly repository: RepositoryEvidence
  /** Absent with the real API. */
  readonly lab?: LabEvidence
}

export async function recorded(store: Store, sessionId: string): Promise<Recorded> {
  const summary = await store.summary(sessionId)
  const entries: Entry[] = []
  for await (const entry of store.read(sessionId)) entries.push(entry)
  return { entries, head: summary?.head }
}

export function labRequests(lab: Lab): LabRequest[] {
  return lab.requests
    .filter(({ n }) => n > 0)
    .map((request) => {
      const { raw, outcome, violation } = request
      return {
        ...labCall(request),
        raw,
        kind: outcome.kind,
        ...(outcome.outage !== undefined && { outage: outcome.outage }),
        ...(outcome.message && { messageId: outcome.message.id }),
        ...(outcome.usage && { usage: { ...outcome.usage } }),
        ...(violation && { violation: violation.message }),
      }
    })
}

/** How often the status page was requested. */
export function pageVisits(lab: Lab): number {
  return lab.requests.filter(({ path }) => lab.statusUrl.endsWith(path)).length
}

/** Inspects the repository, and really runs its tests. */
export function repositoryEvidence(folder: DemoFolder, env: Env): RepositoryEvidence {
  const run = spawnSync(process.execPath, ['--test'], {
    cwd: folder.repository,
    env: commandEnv(env),
    encoding: 'utf8',
  })
  const count = (what: string) => Number(new RegExp(`^\\W+${what} (\\d+)$`, 'm').exec(run.stdout)?.[1] ?? NaN)
  return {
    ledger: linesOf(readFileSync(join(folder.repository, 'migrations.log'), 'utf8')),
    commits: linesOf(git(folder, env, 'log', '--format=%s')),
    committedLedger: linesOf(git(folder, env, 'show', 'HEAD:migrations.log')),
    isClean: git(folder, env, 'status', '--porcelain') === '',
    tests: { exitCode: run.status, pass: count('pass'), fail: count('fail') },
  }
}

const linesOf = (text: string): string[] => text.split('\n').filter(Boolean)
