/** One model at one endpoint, as its card on the page. Pure. */
import type { HealthRecord } from '@lastgood/core'
import type { ProviderCard } from '@lastgood/dashboard'
import { iso, isoOrNull } from '../durations.ts'
import { countSince, type ProviderState } from '../status/provider-state.ts'

const fiveMinutesMs = 300_000

export function providerCard(record: HealthRecord, state: ProviderState, now: number): ProviderCard {
  const { endpoint, model, breaker, cause, lastFault, lastHour } = state
  const last5Min = countSince(record, now - fiveMinutesMs)
  return {
    endpoint,
    model,
    state: stateOf(state, last5Min),
    breaker,
    cause: cause ?? null,
    downSince: isoOrNull(state.downSince),
    nextProbeAt: isoOrNull(state.nextProbeAt),
    heldUntil: isoOrNull(state.heldUntil),
    last5Min,
    lastHour,
    minutes: record.minutes
      .filter(({ at }) => at > now - 3_600_000)
      .map(({ at, ok, failed }) => ({ at: iso(at), answered: ok, failed })),
    lastFault: lastFault ? { kind: lastFault.kind, at: iso(lastFault.at) } : null,
  }
}

/** `unknown`, never `up`, where nobody has tried for ten minutes. */
function stateOf(
  { isDown, heldUntil, last10Min }: ProviderState,
  { failed }: ProviderCard['last5Min'],
): ProviderCard['state'] {
  if (isDown) return 'down'
  if (heldUntil !== undefined) return 'held'
  if (failed > 0) return 'degraded'
  return last10Min.answered > 0 ? 'up' : 'unknown'
}
