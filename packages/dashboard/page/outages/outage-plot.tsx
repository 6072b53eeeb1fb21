/**
 * Answered above the line, failed below it, a column a minute or more; the column under the pointer is put in words.
 *
 * 1. The side says which is which; colours only repeat it.
 */
import type { JSX } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import type { Count } from '../../src/overview.ts'
import { ticksOf } from '../timeline/ticks.ts'
import { timeAxis } from '../timeline/time-axis.ts'
import { useWidth } from '../timeline/use-width.ts'
import { spent } from '../../src/durations.ts'
import { clockTime, dayTime } from '../words/clock-time.ts'
import { percent } from '../words/numbers.ts'
import { columnsOf, type Column } from './columns.ts'

const [above, below] = [110, 60]
const columnWidth = 4

interface PlotProps {
  minutes: readonly ({ at: string } & Count)[]
  from: number
  to: number
  summary: string
}

export function OutagePlot({ minutes, from, to, summary }: PlotProps): JSX.Element {
  const { element, width } = useWidth(900)
  const [pointed, point] = useState<number>()
  const columns = useMemo(
    () => columnsOf(minutes, from, to, Math.max(30, Math.floor(width / columnWidth))),
    [minutes, from, to, width],
  )
  const most = Math.max(1, ...columns.map(({ answered }) => answered))
  const failedMost = Math.max(0, ...columns.map(({ failed }) => failed))
  // One scale for both sides; `bar` keeps small counts visible.
  const scale = 0.94 * Math.min(above / most, below / Math.max(1, failedMost))
  const [start, end] = [columns[0]?.from ?? from, columns.at(-1)?.to ?? to]
  const x = (at: number): number => ((at - start) / Math.max(1, end - start)) * width
  const path = (side: 'answered' | 'failed'): string =>
    columns
      .filter((column) => column[side] > 0)
      .map((column) => bar(x(column.from), x(column.to), column[side] * scale * (side === 'answered' ? -1 : 1)))
      .join('')
  const ticks = useMemo(
    () => ticksOf(timeAxis([{ from: start, to: end }]), width, 78, -new Date(start).getTimezoneOffset() * 60_000),
    [start, end, width],
  )
  const column = pointed === undefined ? undefined : columns[pointed]
  return (
    <div class="outage-plot" ref={element}>
      <svg
        viewBox={`0 ${-above} ${width} ${above + below}`}
        width={width}
        height={above + below}
        role="img"
        aria-label={summary}
        onPointerMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect()
          point(Math.floor(((event.clientX - box.left) / box.width) * columns.length))
        }}
        onPointerLeave={() => point(undefined)}
      >
        {column && (
          <rect
            class="pointed"
            x={x(column.from)}
            y={-above}
            width={x(column.to) - x(column.from)}
            height={above + below}
          />
        )}
        {ticks.map((tick) => (
          <path key={tick.x} class="grid" d={`M${tick.x * width} ${-above}V${below}`} />
        ))}
        <path class="answered" d={path('answered')} />
        <path class="failed" d={path('failed')} />
        <path class="base" d={`M0 0H${width}`} />
      </svg>
      <div class="plot-ticks" aria-hidden="true">
        {ticks.map((tick) => (
          <span key={tick.x} class="tick number" style={{ left: `${(tick.x * 100).toFixed(3)}%` }}>
            {tick.text}
          </span>
        ))}
      </div>
      <p class="muted number pointed-text">
        {column
          ? columnText(column)
          : `above the line: answered, ${most} at most · below: ✖ failed, ${failedMost} at most · a column is ${spent((end - start) / columns.length)}`}
      </p>
    </div>
  )
}

function bar(from: number, to: number, height: number): string {
  const gap = to - from > 3 ? 1 : 0
  const tall = Math.sign(height) * Math.max(1.5, Math.abs(height))
  return `M${from.toFixed(2)} 0h${(to - from - gap).toFixed(2)}v${tall.toFixed(2)}h${(from + gap - to).toFixed(2)}z`
}

function columnText({ from, to, answered, failed }: Column): string {
  return `${dayTime(from)}–${clockTime(to)}: ${answered} answered, ${failed} failed (${percent(failed, answered + failed)})`
}
