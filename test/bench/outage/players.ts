/**
 * What plays the sessions: lastgood, with real sessions, or a simple loop around another client's policy.
 */
import { intercept, isLastgoodError, openSession, type Clock, type LadderRung, type Store } from '@lastgood/core'
import type { PlainPolicy } from './plain-clients.ts'
import type { Provider } from './provider.ts'
import {
  bodyOf,
  firstMessage,
  headers,
  isFirstOfTurn,
  isLastOfTurn,
  model,
  paceOf,
  resultMessage,
  secondModel,
  stepsPerTurn,
  url,
} from './workload.ts'

export type Ending =
  | { readonly kind: 'completed' }
  /** Suspended for good, refused, or ended by an error. */
  | { readonly kind: 'gave-up'; readonly why: string }

export interface World {
  readonly clock: Clock
  readonly provider: Provider
  readonly steps: number
  readonly seed: number
}

/** How often sessions were suspended, by reason. */
export type Parkings = Map<string, number>

export interface LastgoodOptions {
  readonly store: Store
  readonly ladder: readonly LadderRung[]
  readonly parkings: Parkings
}

const longestLeaseMs = 86_400_000

/**
 * A session of lastgood. If it is suspended with an instant for the next attempt, it is resumed then, as by a
 * supervisor that runs `lastgood resume --max-wait` in a loop.
 */
export async function playLastgood(number: number, world: World, options: LastgoodOptions): Promise<Ending> {
  const { clock, provider, steps, seed } = world
  const { store, ladder, parkings } = options
  const pace = paceOf(number, seed)
  // A long lease: renewals would be many, and are not what is measured.
  const session = await openSession(`s${number}`, { store, clock, leaseMs: longestLeaseMs })
  const send = intercept(session, { ladder })
  await clock.sleepUntil(clock.now() + pace.firstMs)

  for (let step = 0; step < steps; step++) {
    const { messages, unanswered } = session.transcript
    const result = resultMessage(unanswered[0]?.toolUseId ?? '')
    const body = bodyOf(isFirstOfTurn(step) ? [firstMessage(step / stepsPerTurn)] : [...messages, result])
    const said = isLastOfTurn(step) ? 'end' : 'call'
    for (;;) {
      try {
        const request = { url, method: 'POST', headers: new Headers(headers), body }
        const response = await send(request, (one) => provider.fetch(number, one, said))
        await response.text()
        if (!response.ok) return { kind: 'gave-up', why: `refused: ${response.status}` }
        break
      } catch (error) {
        if (!isLastgoodError(error)) throw error
        const { fault = error.code, retryAt } = error.details ?? {}
        parkings.set(String(fault), (parkings.get(String(fault)) ?? 0) + 1)
        if (error.code !== 'session-suspended' || retryAt === undefined) {
          return { kind: 'gave-up', why: String(fault) }
        }
        await clock.sleepUntil(Number(retryAt))
        await session.resume()
      }
    }
    await clock.sleepUntil(clock.now() + pace.toolMs())
  }
  await session.close()
  await store.remove(session.id)
  return { kind: 'completed' }
}

/** A session of a client with this policy. One that hangs never returns. */
export async function playPlain(number: number, world: World, policy: PlainPolicy): Promise<Ending> {
  const { clock, provider, steps, seed } = world
  const pace = paceOf(number, seed)
  await clock.sleepUntil(clock.now() + pace.firstMs)
  let asked = model
  for (let step = 0; step < steps; step++) {
    if (isFirstOfTurn(step)) asked = model
    for (let [retries, stalls] = [0, 0]; ; retries++) {
      const { fault, afterMs, answered } = provider.send(number, asked)
      await clock.sleepUntil(clock.now() + afterMs)
      if (!fault) {
        answered()
        break
      }
      const verdict = policy({ fault, retries, stalls, random: clock.random() })
      if (verdict.kind === 'hang') return new Promise(() => {})
      if (verdict.kind === 'fall-back') {
        asked = secondModel
        continue
      }
      if (fault.kind === 'stall') stalls += 1
      await clock.sleepUntil(clock.now() + verdict.afterMs)
      if (verdict.kind === 'give-up') return { kind: 'gave-up', why: fault.kind }
    }
    await clock.sleepUntil(clock.now() + pace.toolMs())
  }
  return { kind: 'completed' }
}
