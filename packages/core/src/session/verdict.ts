/** What can be found out about something of unknown outcome, by looking and without changing anything. */
import { orAborted } from '../or-aborted.ts'

/** Its result, that it had no effect, or nothing. */
export type Verdict<Result> = { kind: 'done'; result: Result } | { kind: 'not-done' } | { kind: 'unknown' }

/** The verdict of `look`. A look that fails, or says something else, says nothing. Errors: the reason of `signal`. */
export async function verdictOf<Result>(
  look: (() => Promise<Verdict<Result>>) | undefined,
  signal: AbortSignal,
): Promise<Verdict<Result>> {
  let seen: Verdict<Result> | undefined
  const looking = async () => look?.()
  try {
    seen = await orAborted(looking(), signal)
  } catch {
    signal.throwIfAborted()
  }
  // Code without types answers anything.
  return seen?.kind === 'done' || seen?.kind === 'not-done' ? seen : { kind: 'unknown' }
}
