/** `lastgood prune`: removes sessions whose time is over. It says what it removes, what it keeps and why, and asks. */
import { Command } from 'commander'
import { LastgoodError, prunePlan, removeSessions, type Head, type PrunePlan, type Store } from '@lastgood/core'
import { setUp, withCommonOptions, type CommonOptions } from '../common-options.ts'
import { confirmed } from '../confirm.ts'
import type { CliContext } from '../context.ts'
import { ago, iso } from '../durations.ts'
import { failureJson, failureOf, writeFailure, type Failure } from '../failure.ts'
import { exampleOf } from '../help-example.ts'
import { counted } from '../numbers.ts'
import { durationOption } from '../option-values.ts'
import { pruneDamaged } from './damaged.ts'
import { sessionRows, type SessionRow } from '../sessions/session-row.ts'
import { storeLine } from '../stores.ts'
import { jsonDocument, safeLine } from '../text.ts'

interface PruneOptions extends CommonOptions {
  olderThan?: number
  damaged?: string
  yes?: boolean
  dryRun?: boolean
}

export function pruneCommand(context: CliContext): Command {
  return withCommonOptions(new Command('prune'))
    .description('permanently remove expired sessions')
    .option(
      '--older-than <duration>',
      'also all last written at least this long ago: 12h, 30d',
      durationOption('write 12h, 30d, or another duration.'),
    )
    .option('--damaged <session>', 'instead, one that can no longer be read and will not be repaired')
    .option('--dry-run', 'only show what would be removed, and what would stay')
    .option('--yes', 'do not ask')
    .addHelpText('after', exampleOf('lastgood prune --dry-run', 'lastgood prune --older-than 30d --yes'))
    .action((options: PruneOptions) => prune(context, options))
}

async function prune(context: CliContext, options: PruneOptions): Promise<void> {
  const { choices } = await setUp(context, options, false)
  const { store, source, close } = await choices[0].open()
  try {
    if (options.damaged !== undefined) {
      await pruneDamaged(context, store, options.damaged, options)
      return
    }
    const now = context.clock.now()
    const { rows, failure } = await sessionRows(store, now)
    // A session that cannot be read may be a fork of any other.
    if (failure !== undefined) throw unreadable(failure)
    const { olderThan: olderThanMs } = options
    const plan = prunePlan(rows, { now, ...(olderThanMs !== undefined && { olderThanMs }) })
    const heads = plan.expired.map(({ head }) => head)
    if (!options.json) tell(context, plan, now, storeLine(store.location, source))
    const isWanted = heads.length > 0 && !options.dryRun
    const question = `Remove ${heads.length === 1 ? 'this session' : `these ${heads.length} sessions`} for good?`
    if (isWanted && !(await confirmed(context, question, options))) return
    const { removed, failures } = isWanted ? await remove(context, store, heads) : { removed: [], failures: [] }
    if (options.json) {
      const document = {
        schema: 'lastgood.prune/v1',
        store: store.location,
        dryRun: options.dryRun ?? false,
        ...planJson(plan),
        removed,
        failed: failures.map(({ sessionId, failure: why }) => ({ sessionId, ...failureJson(why) })),
      }
      context.stdout.write(jsonDocument(document))
    } else if (isWanted) context.stderr.write(`✔ ${removed.length} removed\n`)
    for (const { failure: why } of failures) writeFailure(context, why)
    if (failures[0]) context.setExitCode(failures[0].failure.exitCode)
  } finally {
    await close()
  }
}

interface Failed {
  sessionId: string
  failure: Failure
}

async function remove(
  { clock, argv }: CliContext,
  store: Store,
  heads: readonly Head[],
): Promise<{ removed: string[]; failures: Failed[] }> {
  const removed: string[] = []
  const failures: Failed[] = []
  for await (const one of removeSessions(store, heads, { clock })) {
    if (one.failure === undefined) removed.push(one.sessionId)
    else failures.push({ sessionId: one.sessionId, failure: failureOf(one.failure, argv) })
  }
  return { removed, failures }
}

const because = {
  pinned: 'pinned: lastgood unpin',
  held: 'a process is using it',
  forks: 'a fork that stays needs its journal',
} as const

function tell(
  { stdout, stderr }: CliContext,
  { expired, kept, others }: PrunePlan<SessionRow>,
  now: number,
  place: string,
): void {
  stderr.write(`${place}\n`)
  for (const { head, status } of expired) {
    stdout.write(
      `remove  ${safeLine(head.sessionId)}  ${status}, written ${ago(head.updatedAt, now)}, ${counted(head.seq, 'entry', 'entries')}\n`,
    )
  }
  for (const { summary, because: why } of kept)
    stdout.write(`keep    ${safeLine(summary.head.sessionId)}  ${because[why]}\n`)
  const rest = `${others} more ${others === 1 ? 'has' : 'have'} time left`
  if (expired.length === 0) stderr.write(`nothing to prune; ${rest}\n`)
  else if (others > 0) stderr.write(`${rest}\n`)
}

function planJson({ expired, kept, others }: PrunePlan<SessionRow>): object {
  return {
    expired: expired.map(({ head, status }) => ({
      sessionId: head.sessionId,
      status,
      entries: head.seq,
      updatedAt: iso(head.updatedAt),
      ttlMs: head.ttlMs ?? null,
    })),
    kept: kept.map(({ summary, because: why }) => ({ sessionId: summary.head.sessionId, because: why })),
    others,
  }
}

function unreadable(cause: unknown): LastgoodError {
  return new LastgoodError(
    'journal-corrupt',
    'a session cannot be read, and it may be a fork of one that would be removed',
    {
      hint: 'repair it, or remove it with lastgood prune --damaged <session>; this shows which one it is: lastgood doctor',
      cause,
    },
  )
}
