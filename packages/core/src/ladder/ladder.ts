/**
 * The ladder: which model, or the same at another endpoint, takes over when one cannot be reached.
 *
 * 1. Only downwards: a rung above the current one is not a fallback; climbing back is decided elsewhere.
 * 2. A rung that cannot hold the transcript and the answer does not count.
 * 3. A rung that is not known to be down counts as up: the request itself finds out.
 */
import { LastgoodError } from '../errors.ts'
import type { ModelCard } from './model-card.ts'
import type { TokenNeed } from './token-need.ts'

export interface Rung {
  /** The model's id, as its endpoint calls it. */
  readonly model: string
  /** The endpoint to ask. Default: that of the caller's own client. */
  readonly endpoint?: string | undefined
}

export interface RungChoice {
  readonly rungs: readonly Rung[]
  /** Index of the rung that failed. */
  readonly current: number
  /** Whether a rung is known to be down. */
  isDown(rung: Rung): boolean
  /** In tokens of the current rung's model. */
  readonly needsTokens: TokenNeed
  cardOf(model: string): ModelCard
  /** `endpoint`: nothing answers there, so its other models do not help. */
  readonly scope: 'model' | 'endpoint'
}

const mostRungs = 8

/** The index of the next rung that can take the request; undefined if there is none. */
export function chooseRung(choice: RungChoice): number | undefined {
  const { rungs, current, isDown, needsTokens, cardOf, scope } = choice
  const now = rungs[current]
  if (!now) return undefined
  const scale = cardOf(now.model).tokenScale
  const at = rungs.findIndex(
    (rung, index) =>
      index > current &&
      (scope === 'model' || rung.endpoint !== now.endpoint) &&
      !isDown(rung) &&
      fits(needsTokens, scale, cardOf(rung.model)),
  )
  return at < 0 ? undefined : at
}

/** Throws `bad-option` if it is no list, or has no rung, a rung without a model, one rung twice, or more than 8. */
export function validateLadder(rungs: readonly Rung[]): void {
  if (!Array.isArray(rungs))
    throw badLadder('is not a list', "Write it as ladder('claude-opus-5-5', 'claude-sonnet-5-5').")
  if (rungs.length === 0) throw badLadder('has no rungs', 'Name at least one model.')
  if (rungs.length > mostRungs) throw badLadder(`has ${rungs.length} rungs`, `Name at most ${mostRungs}.`)
  for (const [at, { model, endpoint }] of rungs.map((rung: Partial<Rung> | null) => rung ?? {}).entries()) {
    if (typeof model !== 'string' || model.trim() === '')
      throw badLadder(`has no model at rung ${at}`, 'Name a model for every rung.')
    if (rungs.findIndex((rung) => rung.model === model && rung.endpoint === endpoint) < at)
      throw badLadder(`has ${model} twice`, 'Name a model once, or once for each endpoint.')
  }
}

/** A text never counts for fewer tokens than on the current model: an estimate must not justify a smaller window. */
function fits({ input, output }: TokenNeed, scale: number, card: ModelCard): boolean {
  const growth = Math.max(1, card.tokenScale / scale)
  return input * growth + Math.min(output, card.maxOutputTokens) <= card.maxInputTokens
}

function badLadder(what: string, hint: string): LastgoodError {
  return new LastgoodError('bad-option', `The ladder ${what}`, { hint, details: { field: 'ladder' } })
}
