/** A status for programs, `lastgood.status/v1`: instants are ISO 8601, absent facts are null. Pure. */
import { pageSays } from '@lastgood/core'
import { iso, isoOrNull } from '../durations.ts'
import { sessionJson } from '../sessions/session-json.ts'
import type { ProviderState } from './provider-state.ts'
import type { StatusReport } from './verdict.ts'

export function reportJson({ now, providers, page, open }: StatusReport, flags: readonly string[]): object {
  return {
    at: iso(now),
    providers: providers.map(providerJson),
    statusPage: pageJson(page),
    open: open.map((row) => sessionJson(row, now, flags)),
  }
}

function providerJson(provider: ProviderState): object {
  const { endpoint, model, breaker, isDown, cause, downSince, nextProbeAt, heldUntil, lastFault } = provider
  return {
    endpoint,
    model,
    breaker,
    down: isDown,
    cause: cause ?? null,
    downSince: isoOrNull(downSince),
    nextProbeAt: isoOrNull(nextProbeAt),
    heldUntil: isoOrNull(heldUntil),
    last10Min: provider.last10Min,
    lastHour: provider.lastHour,
    lastFault: lastFault ? { kind: lastFault.kind, at: iso(lastFault.at) } : null,
  }
}

function pageJson(reading: StatusReport['page']): object {
  if ('off' in reading) return { says: 'not-asked', by: reading.off }
  const { page, checkedAt, ageMs, source, failure } = reading
  return {
    says: pageSays(page),
    indicator: page?.indicator ?? null,
    description: page?.description ?? null,
    api: page?.api ?? null,
    incidents: (page?.openIncidents ?? []).map(({ name, status, impact, startedAt, isElsewhere }) => ({
      name,
      status,
      impact,
      startedAt: isoOrNull(startedAt),
      concernsApi: isElsewhere !== true,
    })),
    checkedAt: isoOrNull(checkedAt),
    ageMs: page ? ageMs : null,
    source: source ?? null,
    failure: failure ?? null,
  }
}
