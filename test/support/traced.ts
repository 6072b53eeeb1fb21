/** The real SDK of OpenTelemetry, with everything in memory. One per process: its globals cannot be set twice. */
import { context, metrics, propagation, trace, type AttributeValue } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base'

export interface Node {
  name: string
  children: Node[]
}

export function startTracing() {
  const spans = new InMemorySpanExporter()
  const points = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter: points, exportIntervalMillis: 3_600_000 })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }))
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))

  const finished = () => spans.getFinishedSpans()
  return {
    spans: finished,
    reset: () => spans.reset(),
    span(name: string): ReadableSpan {
      const found = finished().find((one) => one.name === name)
      if (!found)
        throw new Error(
          `there is no span ${name}: ${finished()
            .map((one) => one.name)
            .join(', ')}`,
        )
      return found
    },
    /** The finished spans as trees, children in the order of their start. */
    tree(): Node[] {
      const all = finished()
      const under = (parent: string | undefined): Node[] =>
        all
          .filter(({ parentSpanContext: { spanId } = { spanId: undefined } }) =>
            parent === undefined ? !all.some((one) => one.spanContext().spanId === spanId) : spanId === parent,
          )
          .sort((one, other) => msOf(one.startTime) - msOf(other.startTime))
          .map((one) => ({ name: one.name, children: under(one.spanContext().spanId) }))
      return under(undefined)
    },
    /** Every value of a metric, by its attributes. */
    async metric(name: string): Promise<{ attributes: Record<string, AttributeValue | undefined>; value: unknown }[]> {
      points.reset()
      await reader.forceFlush()
      const all = points.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((one) => one.metrics))
      return all
        .filter(({ descriptor }) => descriptor.name === name)
        .flatMap(({ dataPoints }) => dataPoints.map(({ attributes, value }) => ({ attributes, value })))
    },
    async metricNames(): Promise<string[]> {
      points.reset()
      await reader.forceFlush()
      const all = points.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((one) => one.metrics))
      return [...new Set(all.map(({ descriptor }) => descriptor.name))].sort()
    },
  }
}

const msOf = ([seconds, nanos]: readonly [number, number]): number => seconds * 1_000 + nanos / 1e6

/** All text in the spans: names, attributes, events, links, status. */
export const wordsOf = (spans: readonly ReadableSpan[]): string =>
  JSON.stringify(
    spans.map(({ name, attributes, events, links, status, resource }) => [
      name,
      attributes,
      events,
      links.map(({ attributes }) => attributes),
      status,
      resource.attributes,
    ]),
  )
