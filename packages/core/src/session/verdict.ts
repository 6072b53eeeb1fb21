/**
 * Decides about work that was started and has no result: first by a look at what came of it, without changing anything,
 * then by its rule, then by whoever the rule asks (P2).
 */
import type { Clock } from '../clock.ts'
import { inTime } from '../in-time.ts'
import type { InDoubt } from '../journal/journal.ts'
import { orAborted } from '../or-aborted.ts'
import type { InDoubtDid } from './events.ts'

/** What a look found: its result, that it had no effect, or nothing. */
export type Verdict<Result> = { kind: 'done'; result: Result } | { kind: 'not-done' } | { kind: 'unknown' }

export type Fate<Result> = { kind: 'done'; result: Result } | { kind: 'run' } | { kind: 'report' } | { kind: 'suspend' }

/** How long a look may take: one that hangs finds out nothing. */
const longestLookMs = 30_000

/** What becomes of the work, and what listeners are told. */
export interface Judged<Result> {
  fate: Fate<Result>
  did: InDoubtDid
}

/** Something of unknown outcome. */
export interface InDoubtWork<Result> {
  /** Finds out what came of it; the signal aborts when the look is no longer waited for. */
  look: ((signal: AbortSignal) => Promise<Verdict<Result>> | undefined) | undefined
  rule: InDoubt
  /** Called where the rule is `ask`; if nobody can be asked, the session is parked. */
  ask: () => Promise<'rerun' | 'report' | 'suspend'> | undefined
  signal: AbortSignal
}

/** Errors: the reason of its signal, and those of `ask`. */
export async function judge<Result>(
  clock: Clock,
  { look, rule, ask, signal }: InDoubtWork<Result>,
): Promise<Judged<Result>> {
  const verdict = await verdictOf(look, clock, signal)
  if (verdict.kind === 'done') return { fate: verdict, did: 'verified-done' }
  if (verdict.kind === 'not-done') return { fate: { kind: 'run' }, did: 'verified-not-done' }
  // After `signal` aborts, no answer is waited for, of a person or a service.
  const answer = rule === 'ask' ? await orAborted((async () => ask())(), signal) : rule
  if (answer === 'rerun') return { fate: { kind: 'run' }, did: 'rerun' }
  return answer === 'report'
    ? { fate: { kind: 'report' }, did: 'reported' }
    : { fate: { kind: 'suspend' }, did: 'parked' }
}

/** The verdict of `look`. A look that fails, takes too long, or returns something else finds out nothing. */
async function verdictOf<Result>(
  look: InDoubtWork<Result>['look'],
  clock: Clock,
  signal: AbortSignal,
): Promise<Verdict<Result>> {
  let seen: Verdict<Result> | undefined
  try {
    const looking = inTime(clock, longestLookMs, async (late) => look?.(AbortSignal.any([signal, late.signal])))
    seen = await orAborted(looking, signal)
  } catch {
    signal.throwIfAborted()
  }
  // Untyped code may return anything.
  return seen?.kind === 'done' || seen?.kind === 'not-done' ? seen : { kind: 'unknown' }
}
