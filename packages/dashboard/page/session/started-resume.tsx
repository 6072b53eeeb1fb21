/** The last resume started from a page: whether it is still running, and its last lines. */
import type { JSX } from 'preact'
import type { StartedResume as Started } from '../../src/session-document.ts'
import { Ago } from '../shell/countdown.tsx'
import { Icon } from '../shell/icon.tsx'
import { visibleLine } from '../../src/visible-text.ts'

const shown = 6

export function StartedResume({ started }: { started: Started }): JSX.Element {
  const { at, pid, exitCode, lines } = started
  const isWell = exitCode === null || exitCode === 0
  return (
    <section class="banner" aria-label="Resume that was started here" data-started={exitCode ?? 'running'}>
      <Icon name={exitCode === null ? 'run' : isWell ? 'ok' : 'warn'} tone={isWell ? 'good' : 'bad'} />
      <div class="grow">
        <strong>
          {exitCode === null
            ? 'Resuming'
            : isWell
              ? 'The resume is done'
              : `The resume ended with exit code ${exitCode}`}
        </strong>{' '}
        <span class="muted">
          started <Ago at={at} />, pid {pid}
        </span>
        {lines.length > 0 && <pre class="last-lines">{lines.slice(-shown).map(visibleLine).join('\n')}</pre>}
      </div>
    </section>
  )
}
