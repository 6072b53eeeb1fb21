/** Sessions that are being resumed one after another: the progress, what failed, and how to stop it. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Staggered } from '../../src/overview.ts'
import { postJson } from '../live/api.ts'
import { refusal } from '../live/overview-state.ts'
import { Countdown } from '../shell/countdown.tsx'
import { Icon } from '../shell/icon.tsx'
import { toast } from '../shell/toasts.tsx'
import { spent } from '../../src/durations.ts'
import { counted } from '../words/numbers.ts'
import { visibleLine } from '../../src/visible-text.ts'

export function StaggeredBanner({ staggered }: { staggered: Staggered | null }): JSX.Element | null {
  const [isStopping, setStopping] = useState(false)
  if (!staggered) return null
  const { state, done, left, failed, everyMs, nextAt, reason } = staggered
  const total = done.length + left.length + failed.length
  const stop = (): void => {
    setStopping(true)
    postJson('api/resume-all/stop', {}).then(
      () => toast('Stopped: those that were not started yet stay as they are.'),
      (error: Error) => {
        setStopping(false)
        toast(error.message)
      },
    )
  }
  return (
    <section class="banner" aria-label="Resuming all" data-staggered={state}>
      <Icon name={state === 'stopped' ? 'held' : 'run'} tone={state === 'stopped' ? 'warn' : 'good'} />
      <div class="grow">
        <strong>
          {state === 'probing'
            ? 'Resuming all: waiting for the first answer'
            : state === 'going'
              ? 'Resuming all, one after another'
              : left.length > 0
                ? 'Resuming all was stopped'
                : 'Resuming all has ended'}
        </strong>
        <div class="number">
          {done.length} of {total} done · {left.length} left
          {failed.length > 0 && ` · ${failed.length} failed`}
          {state === 'going' && nextAt !== null && (
            <>
              {' '}
              · next <Countdown to={nextAt} />, every {spent(everyMs)}
            </>
          )}
        </div>
        <progress
          max={Math.max(1, total)}
          value={done.length + failed.length}
          aria-label={`${done.length + failed.length} of ${counted(total, 'session')}`}
        />
        <div class="muted line">reason: {visibleLine(reason)}</div>
        {failed.slice(0, 3).map(({ sessionId, why }) => (
          <div class="line" key={sessionId}>
            ✖ {visibleLine(sessionId)}: {visibleLine(why)}
          </div>
        ))}
      </div>
      {state !== 'stopped' && left.length > 0 && (
        <button type="button" disabled={isStopping || refusal.value !== undefined} onClick={stop}>
          Stop
        </button>
      )}
    </section>
  )
}
