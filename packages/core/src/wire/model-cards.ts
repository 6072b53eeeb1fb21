/**
 * Cards of one endpoint's models: asked from its Models API, remembered here and, for other processes, in the store.
 *
 * 1. It always answers with a card, after two time-outs at most: with what is known if the API or the store is silent.
 * 2. A failed question is remembered as well, so that during an outage not every fallback asks again.
 * 3. What is remembered is the API's answer, not our reading of it: another release may read more.
 */
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { SharedState } from '../records/shared-state.ts'
import { cardOf } from '../ladder/built-in-cards.ts'
import { isSameModel, type ModelCard } from '../ladder/model-card.ts'
import { modelCardFrom } from '../ladder/models-api.ts'
import { inTime } from '../in-time.ts'
import { lazily } from '../lazily.ts'
import { sha256 } from '../sha256.ts'

export interface ModelCardsOptions {
  readonly shared: SharedState
  readonly clock: Clock
  /** Origin and path of the API; stored only as a hash. */
  readonly endpoint: string
}

/** Gives the body of `GET /v1/models/<id>`; rejects when there is none. */
export type AskForModel = (signal: AbortSignal) => Promise<unknown>

/** Never rejects. `ask` is called if what is known is too old. */
export type ModelCards = (model: string, ask: AskForModel) => Promise<ModelCard>

const timeoutMs = 5_000
const answerHoldsMs = 24 * 3_600_000
const failureHoldsMs = 600_000

const knownSchema = lazily(() =>
  z.looseObject({
    model: z.string(),
    /** Epoch ms of the last question. */
    askedAt: z.number(),
    /** It was not answered; `body` is then an older answer. */
    failed: z.boolean(),
    body: z.unknown().optional(),
  }),
)
type Known = z.infer<ReturnType<typeof knownSchema>>

export function modelCards({ shared, clock, endpoint }: ModelCardsOptions): ModelCards {
  const local = new Map<string, Known>()
  const asking = new Map<string, Promise<Known>>()
  const place = sha256(endpoint).slice(0, 16)
  const keyOf = (model: string) => `models:${place}|${model.replaceAll(/[^A-Za-z0-9.:@_-]/g, '_').slice(-160)}`
  const isFresh = (known: Known) => {
    const age = clock.now() - known.askedAt
    return age >= 0 && age < (known.failed ? failureHoldsMs : answerHoldsMs)
  }

  async function answerOf(model: string, ask: AskForModel): Promise<Known> {
    const mine = local.get(model)
    if (mine && isFresh(mine)) return mine
    const record = await within(clock, () => shared.read(keyOf(model)))
    const parsed = knownSchema().safeParse(record?.value).data
    const theirs = parsed?.model === model ? parsed : undefined
    if (theirs && isFresh(theirs)) return theirs
    const body = await within(clock, ask)
    const isAnswer = modelCardFrom(body) !== undefined
    const known = { model, askedAt: clock.now(), failed: !isAnswer, body: isAnswer ? body : (theirs ?? mine)?.body }
    void within(clock, () => shared.write(keyOf(model), record?.version ?? 0, known))
    return known
  }

  return async (model, ask) => {
    const pending = asking.get(model) ?? answerOf(model, ask).finally(() => asking.delete(model))
    asking.set(model, pending)
    const known = await pending
    local.set(model, known)
    const card = modelCardFrom(known.body)
    return card && describes(card, model) ? { ...card, id: model } : cardOf(model)
  }
}

/** The API answers an alias with the id that it stands for; a card of another model altogether is not believed. */
function describes(card: ModelCard, model: string): boolean {
  return isSameModel(card.id, model) || cardOf(model).source === 'guess'
}

/** What `act` gives; undefined when it fails or takes too long. */
const within = <T>(clock: Clock, act: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> =>
  inTime(clock, timeoutMs, (late) => act(late.signal)).catch(() => undefined)
