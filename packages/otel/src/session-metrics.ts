/**
 * The metrics of all sessions of a process. The gateway's page for Prometheus counts the same happenings.
 *
 * Labels have few values: no session ids, and of models only those that lastgood knows.
 */
import { modelLabel, statuses, type Happening, type WatchedSession } from '@lastgood/core'
import type { Attributes, Meter } from '@opentelemetry/api'
import { errorType, providerName, requestModel } from './genai-names.ts'

/** Seconds, from an unnoticed pause to an outage of six hours; longer ones fall into the last, open bucket. */
const recoveryBuckets = [1, 5, 30, 60, 300, 900, 3_600, 21_600]
const provider = { [providerName]: 'anthropic' }

export class SessionMetrics {
  readonly #sessions = new Set<WatchedSession>()
  readonly #meter: Meter
  readonly #counters: Readonly<Record<Counted, { add(value: number, attributes?: Attributes): void }>>
  readonly #duration

  constructor(meter: Meter) {
    this.#meter = meter
    this.#counters = {
      attempts: this.#counter('attempts', 'Attempts at an answer, by outcome', '{attempt}'),
      recoveries: this.#counter('recoveries', 'Answers after a fault or an interruption, by mode', '{answer}'),
      turnsLost: this.#counter('turns.lost', 'Turns that were taken back', '{turn}'),
      toolsReplayed: this.#counter('tools.replayed', 'Tool calls and steps in doubt, by what was done', '{call}'),
      repairs: this.#counter('repairs', 'Repairs of requests that were accepted, by rule', '{repair}'),
      waitSeconds: this.#counter('wait.seconds', 'Time spent waiting, by reason', 's'),
      resumeTokens: this.#counter(
        'resume.input_tokens',
        'Uncached input tokens of the first answer after a session was opened again: what the cold cache costs',
        '{token}',
      ),
    }
    this.#duration = meter.createHistogram('lastgood.recovery.duration', {
      description: 'Time from the first fault, or from the interruption, to the answer',
      unit: 's',
      advice: { explicitBucketBoundaries: recoveryBuckets },
    })
    meter
      .createObservableGauge('lastgood.sessions', {
        description: 'Sessions that are open in this process, by state',
        unit: '{session}',
      })
      .addCallback((result) => {
        const counts = new Map<string, number>(Object.values(statuses).map((status) => [status, 0]))
        for (const { state } of this.#sessions) counts.set(statuses[state], (counts.get(statuses[state]) ?? 0) + 1)
        for (const [state, count] of counts) result.observe(count, { 'lastgood.session.state': state })
      })
  }

  watch(session: WatchedSession): void {
    this.#sessions.add(session)
    session.signal.addEventListener('abort', () => this.#sessions.delete(session), { once: true })
  }

  take(happening: Happening): void {
    const { attempts, recoveries, turnsLost, toolsReplayed, repairs, waitSeconds, resumeTokens } = this.#counters
    switch (happening.kind) {
      case 'attempt-failed':
        attempts.add(1, { ...modelOf(happening), 'lastgood.outcome': 'failed', [errorType]: happening.fault })
        return
      case 'answered':
        attempts.add(1, { ...modelOf(happening), 'lastgood.outcome': 'answered' })
        if (happening.isFirstAfterResume) resumeTokens.add(happening.usage.uncachedInput, provider)
        return
      case 'recovered': {
        const labels = { ...provider, 'lastgood.recovery.mode': happening.mode }
        recoveries.add(1, labels)
        this.#duration.record(happening.durationMs / 1_000, labels)
        return
      }
      case 'waited':
        waitSeconds.add((happening.at - happening.since) / 1_000, {
          ...provider,
          'lastgood.wait.reason': happening.reason,
        })
        return
      case 'rewound':
        if (happening.turns > 0) turnsLost.add(happening.turns, { 'lastgood.reason': 'rewound' })
        return
      case 'in-doubt':
      case 'step-in-doubt':
        toolsReplayed.add(1, { 'lastgood.reason': happening.did })
        return
      case 'repaired':
        for (const rule of happening.rules) repairs.add(1, { 'lastgood.rule': rule })
        return
      default:
    }
  }

  #counter(name: string, description: string, unit: string) {
    return this.#meter.createCounter(`lastgood.${name}`, { description, unit })
  }
}

type Counted = 'attempts' | 'recoveries' | 'turnsLost' | 'toolsReplayed' | 'repairs' | 'waitSeconds' | 'resumeTokens'

const modelOf = ({ model }: { model: string }): Attributes => ({ ...provider, [requestModel]: modelLabel(model) })
