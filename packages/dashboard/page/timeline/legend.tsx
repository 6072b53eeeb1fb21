/** What the marks mean. */
import type { JSX } from 'preact'

const bars = [
  ['answer', 'answer'],
  ['tool', 'tool'],
  ['failed', 'request that failed'],
  ['wait', 'waiting'],
  ['fallback', 'another model'],
] as const
const points = [
  ['fault', '✖', 'failure'],
  ['checkpoint', '◆', 'saved'],
  ['rung', '⇄', 'model takes over'],
  ['repaired', '✚', 'repaired'],
  ['suspended', '■', 'suspended'],
  ['resumed', '▶', 'resumed'],
  ['rewound', '↶', 'rewound'],
  ['doubt', '?', 'outcome unknown'],
] as const

export function Legend(): JSX.Element {
  return (
    <details class="legend" open={matchMedia('(min-width: 720px)').matches}>
      <summary>Marks</summary>
      <ul>
        {bars.map(([kind, text]) => (
          <li key={kind}>
            <span class={`bar bar-${kind}`} aria-hidden="true" /> {text}
          </li>
        ))}
        {points.map(([kind, glyph, text]) => (
          <li key={kind}>
            <span class={`glyph point-${kind}`} aria-hidden="true">
              {glyph}
            </span>{' '}
            {text}
          </li>
        ))}
        <li>
          <svg class="zigzag" viewBox="0 0 40 8" aria-hidden="true">
            <path d="M0 6l5-4 5 4 5-4 5 4 5-4 5 4 5-4 5 4" />
          </svg>{' '}
          idle time, folded
        </li>
      </ul>
    </details>
  )
}
