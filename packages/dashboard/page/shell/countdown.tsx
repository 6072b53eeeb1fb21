/** Times that go on by themselves; only their own text is drawn anew each second. */
import { useComputed } from '@preact/signals'
import type { JSX } from 'preact'
import { now } from '../live/server-clock.ts'
import { ago, dayTime, left } from '../words/durations.ts'

/** `in 23s`, or `now` when it is due. */
export function Countdown({ to }: { to: string }): JSX.Element {
  const text = useComputed(() => (Date.parse(to) > now.value ? `in ${left(Date.parse(to) - now.value)}` : 'now'))
  return (
    <time dateTime={to} title={dayTime(Date.parse(to))} class="number">
      {text}
    </time>
  )
}

/** `12s ago`. */
export function Ago({ at }: { at: string }): JSX.Element {
  const text = useComputed(() => ago(Date.parse(at), now.value))
  return (
    <time dateTime={at} title={dayTime(Date.parse(at))} class="number">
      {text}
    </time>
  )
}
