/** Shapes that are clear without their colours. */
import type { JSX } from 'preact'

export type IconName = 'ok' | 'warn' | 'down' | 'wait' | 'held' | 'unknown' | 'run' | 'done' | 'person'

const shapes: Record<IconName, JSX.Element> = {
  ok: (
    <>
      <circle class="fill" cx="8" cy="8" r="7" />
      <path class="cut" d="M4.8 8.2l2.2 2.2 4.2-4.6" />
    </>
  ),
  warn: (
    <>
      <path class="fill" d="M8 1.2l7 13H1z" />
      <path class="cut" d="M8 6v3.6M8 11.6v.6" />
    </>
  ),
  down: (
    <>
      <path class="fill" d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" />
      <path class="cut" d="M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2" />
    </>
  ),
  wait: (
    <>
      <circle class="line dashed" cx="8" cy="8" r="6.2" />
      <path class="line" d="M8 4.6V8l2.4 1.6" />
    </>
  ),
  held: (
    <>
      <rect class="fill" x="1.5" y="1.5" width="13" height="13" rx="3" />
      <path class="cut" d="M6 5v6M10 5v6" />
    </>
  ),
  unknown: (
    <>
      <circle class="line" cx="8" cy="8" r="6.2" />
      <path class="line" d="M6.2 6.4a1.8 1.8 0 113 1.4c-.8.6-1.2.9-1.2 1.6M8 11.6v.3" />
    </>
  ),
  run: (
    <>
      <circle class="line" cx="8" cy="8" r="6.2" />
      <path class="fill" d="M6.4 5v6l4.6-3z" />
    </>
  ),
  done: (
    <>
      <circle class="line" cx="8" cy="8" r="6.2" />
      <path class="line" d="M5.2 8.2l1.9 1.9 3.7-4" />
    </>
  ),
  person: (
    <>
      <circle class="fill" cx="8" cy="4.6" r="3.2" />
      <path class="fill" d="M1.8 15c.3-4 2.8-6 6.2-6s5.9 2 6.2 6z" />
    </>
  ),
}

export function Icon({ name, tone }: { name: IconName; tone: string }): JSX.Element {
  return (
    <svg class={`icon tone-${tone}`} viewBox="0 0 16 16" aria-hidden="true" data-icon={name}>
      {shapes[name]}
    </svg>
  )
}
