/**
 * The timeline's facts as a table, to read aloud, search and copy; and the session's content, once asked for.
 *
 * 1. Only the rows in view exist; `aria-rowcount` says how many there are.
 * 2. Content is shown as text, whatever it looks like.
 */
import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import type { SessionDocument } from '../../src/session-document.ts'
import { isNarrow } from '../shell/narrow.ts'
import { offsetsOf } from '../windowed/rows-in-view.ts'
import { useWindow } from '../windowed/use-window.ts'
import { spent } from '../../src/durations.ts'
import { clockTime, dayTime } from '../words/clock-time.ts'
import { visibleLine } from '../../src/visible-text.ts'
import { stepWords, type StepWords } from './step-words.ts'

const heights = { wide: 34, narrow: 54 }

interface Line extends StepWords {
  key: string
  at: string
  turn: string
  took: number | null
  seq: number | undefined
}

interface TableProps {
  document: SessionDocument
  content: { isShown: boolean; toggle: () => void } | undefined
  onEntry: ((seq: number) => void) | undefined
}

export function StepsTable({ document, content, onEntry }: TableProps): JSX.Element {
  const lines = useMemo(() => linesOf(document), [document])
  const rowHeight = heights[isNarrow.value ? 'narrow' : 'wide']
  const offsets = useMemo(() => offsetsOf(lines.length, () => rowHeight), [lines.length, rowHeight])
  const { place, range } = useWindow(offsets)
  const below = (lines.length - range.end) * rowHeight
  return (
    <section class="steps" aria-labelledby="steps-title">
      <header>
        <h2 id="steps-title">Step by step</h2>
        <span class="muted says">
          {document.hasContent
            ? 'with content: messages, calls and results are quoted'
            : 'without content: messages, calls and results are hidden'}
        </span>
        {content && (
          <button type="button" aria-pressed={content.isShown} onClick={content.toggle}>
            {content.isShown ? 'Hide content' : 'Show content'}
          </button>
        )}
      </header>
      <table aria-rowcount={lines.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col">Time</th>
            <th scope="col">Turn</th>
            <th scope="col">What</th>
            <th scope="col">Detail</th>
            <th scope="col" class="right">
              Took
            </th>
          </tr>
        </thead>
        <tbody ref={(element) => void (place.current = element)}>
          {range.first > 0 && (
            <tr class="spacer" aria-hidden="true">
              <td colSpan={5} style={{ height: `${range.first * rowHeight}px` }} />
            </tr>
          )}
          {lines.slice(range.first, range.end).map((line, index) => (
            <LineView
              key={line.key}
              line={line}
              index={range.first + index}
              onEntry={document.hasContent ? onEntry : undefined}
            />
          ))}
          {below > 0 && (
            <tr class="spacer" aria-hidden="true">
              <td colSpan={5} style={{ height: `${below}px` }} />
            </tr>
          )}
        </tbody>
      </table>
    </section>
  )
}

function LineView({
  line,
  index,
  onEntry,
}: {
  line: Line
  index: number
  onEntry: ((seq: number) => void) | undefined
}): JSX.Element {
  const { at, turn, mark, tone, what, detail, took, seq } = line
  return (
    <tr aria-rowindex={index + 2} class={turn === '' ? '' : 'first-of-turn'}>
      <td class="number" title={dayTime(Date.parse(at))}>
        {clockTime(Date.parse(at))}
      </td>
      <td class="number">{turn}</td>
      <td title={what}>
        <span class={`glyph tone-${tone}`} aria-hidden="true">
          {mark}
        </span>{' '}
        {what}
      </td>
      <td class="detail" title={detail}>
        {seq !== undefined && onEntry ? (
          <button type="button" class="entry-link" onClick={() => onEntry(seq)} aria-label={`Entry ${seq} in full`}>
            {detail === '' ? '…' : detail}
          </button>
        ) : (
          detail
        )}
      </td>
      <td class="number right">{took === null ? '' : spent(took)}</td>
    </tr>
  )
}

function linesOf({ before, turns }: SessionDocument): Line[] {
  const lines: Line[] = before.map((step, index) => ({
    key: `before-${index}`,
    at: step.at,
    turn: '',
    took: null,
    seq: step.seq,
    ...stepWords(step),
  }))
  for (const [place, turn] of turns.entries()) {
    const name = String(turn.turn)
    const message = visibleLine(turn.message)
    const began = turn.state === 'rewound' ? `turn ${name} begins (rewound later)` : `turn ${name} begins`
    lines.push({
      key: `${place}`,
      at: turn.startedAt,
      turn: name,
      mark: '>',
      tone: 'plain',
      what: began,
      detail: message,
      took: null,
      seq: undefined,
    })
    for (const [index, step] of turn.steps.entries()) {
      const took = 'durationMs' in step ? step.durationMs : null
      lines.push({ key: `${place}-${index}`, at: step.at, turn: '', took, seq: step.seq, ...stepWords(step) })
    }
    if (turn.endedAt !== null) {
      lines.push({
        key: `${place}-end`,
        at: turn.endedAt,
        turn: '',
        mark: '◆',
        tone: 'good',
        what: `turn ${name} is saved`,
        detail: '',
        took: turn.durationMs,
        seq: undefined,
      })
    }
  }
  return lines
}
