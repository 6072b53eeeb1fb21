/**
 * Watches the shared health records as they are written, to find requests that should not have left.
 *
 * A request is a violation if the record says open or half-open, its session does not have the probe, and the breaker
 * opened before this instant: a request that leaves at the very instant was already under way.
 */
import { memoryStore, type Clock, type HealthRecord, type Store } from '@lastgood/core'

export interface BreakerWatch {
  readonly store: Store
  /** Whether `session`, sending now, violates the breaker. */
  breaks(session: string, model: string): boolean
  /** How often a breaker opened, and how many probes were sent. */
  readonly counts: { opened: number; probes: number }
}

export function watchBreaker(clock: Clock): BreakerWatch {
  const store = memoryStore({ clock })
  const records = new Map<string, HealthRecord>()
  const counts = { opened: 0, probes: 0 }
  const { shared } = store

  function see(record: HealthRecord): void {
    const [before, after] = [records.get(record.model)?.breaker, record.breaker]
    if (after.state === 'open' && (before?.state ?? 'closed') === 'closed') counts.opened += 1
    const isNew = before?.state !== 'half-open' || before.startedAt !== (after as typeof before).startedAt
    if (after.state === 'half-open' && isNew) counts.probes += 1
    records.set(record.model, record)
  }

  return {
    counts,
    store: {
      ...store,
      shared: {
        ...shared,
        async write(key, version, value) {
          const written = await shared.write(key, version, value)
          if (written && key.startsWith('health:')) see(value as HealthRecord)
          return written
        },
      },
    },
    breaks(session, model) {
      const breaker = records.get(model)?.breaker
      if (!breaker || breaker.state === 'closed' || breaker.since >= clock.now()) return false
      return breaker.state === 'open' || breaker.prober !== session
    },
  }
}
