/**
 * Traces and metrics of sessions for OpenTelemetry.
 *
 * 1. Only the API is used: without an SDK in the process nothing is recorded or kept.
 * 2. Tracer and meter are taken when a session is opened, so that `otel()` may come before the SDK is set up.
 */
import { Happenings, type Watcher } from '@lastgood/core'
import {
  context,
  metrics,
  propagation,
  trace,
  type Meter,
  type MeterProvider,
  type SpanContext,
  type TracerProvider,
} from '@opentelemetry/api'
import { InterruptedSpan } from './interrupted-spans.ts'
import { SessionMetrics } from './session-metrics.ts'
import { SessionTrace } from './session-trace.ts'
import { turnAttributes } from './span-attributes.ts'

export interface OtelOptions {
  /** Default: the global one. */
  tracerProvider?: TracerProvider
  /** Default: the global one. */
  meterProvider?: MeterProvider
}

const scope = '@lastgood/otel'

/** Shared by all `otel()` of a process: if each had a gauge of its own, only the last one would be reported. */
const metricsOf = new WeakMap<Meter, SessionMetrics>()

function countedBy(meter: Meter): SessionMetrics {
  const counted = metricsOf.get(meter) ?? new SessionMetrics(meter)
  metricsOf.set(meter, counted)
  return counted
}

/** For `openSession(id, { telemetry: otel() })` and `createGateway({ telemetry: otel() })`. */
export function otel(options: OtelOptions = {}): Watcher {
  return {
    async opened(session, before) {
      const tracer = (options.tracerProvider ?? trace).getTracer(scope)
      const sessions = countedBy((options.meterProvider ?? metrics).getMeter(scope))
      const kept = new InterruptedSpan(session.store.shared, session.clock, session.id)
      const interrupted: SpanContext | undefined = session.hasOpenTurn ? await kept.find(session.turn) : undefined
      const spans = new SessionTrace({ session, tracer, kept, interrupted })
      const happenings = new Happenings(session, before)
      sessions.watch(session)
      session.subscribe((event) => {
        for (const happening of happenings.take(event)) {
          spans.take(happening, turnAttributes(happenings.tally))
          sessions.take(happening)
        }
      })
      return spans.run
    },

    serving(headers, run) {
      // A span that the server's own instrumentation began has already used these headers.
      if (trace.getActiveSpan()) return run()
      const carrier = Object.fromEntries(headers)
      return context.with(propagation.extract(context.active(), carrier), run)
    },
  }
}
