/** Times that tick; only their own text is redrawn each second. */
import { computed } from '@preact/signals'
import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { now } from '../live/server-clock.ts'
import { ago, left } from '../../src/durations.ts'
import type { SessionCard } from '../../src/overview.ts'
import { dayTime } from '../words/clock-time.ts'

/** `in 23s`, or `now` when it is due. */
export function Countdown({ to }: { to: string }): JSX.Element {
  const text = useMemo(() => {
    const due = Date.parse(to)
    return computed(() => (due > now.value ? `in ${left(due - now.value)}` : 'now'))
  }, [to])
  return (
    <time dateTime={to} title={dayTime(Date.parse(to))} class="number">
      {text}
    </time>
  )
}

type Tried = SessionCard & { dueAt: string }

/** Whether it has a next try: by its own process, or by a person, where that process is gone or gave up. */
export function isTried(card: SessionCard): card is Tried {
  return card.dueAt !== null && (card.group === 'waiting' || card.group === 'needs-you')
}

/** `next try in 23s`; `worth a try in 23s` where nobody but a person will. */
export function NextTry({ card: { group, dueAt } }: { card: Tried }): JSX.Element {
  return (
    <>
      {group === 'waiting' ? 'next try ' : 'worth a try '}
      <Countdown to={dueAt} />
    </>
  )
}

/** `12s ago`. */
export function Ago({ at }: { at: string }): JSX.Element {
  const text = useMemo(() => computed(() => ago(Date.parse(at), now.value)), [at])
  return (
    <time dateTime={at} title={dayTime(Date.parse(at))} class="number">
      {text}
    </time>
  )
}
