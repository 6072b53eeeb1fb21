/** What people did from this page or another one of the same store, and why. */
import type { JSX } from 'preact'
import type { ActionRecord } from '../../src/overview.ts'
import { Ago } from '../shell/countdown.tsx'
import { sessionLink } from '../shell/route.ts'
import { visibleLine } from '../../src/visible-text.ts'

const words = {
  resume: 'resumed',
  suspend: 'suspended',
  takeover: 'took over',
  rewind: 'rewound',
  fork: 'forked',
  'resume-all': 'resumed all',
}

export function Deeds({ actions }: { actions: readonly ActionRecord[] }): JSX.Element | null {
  if (actions.length === 0) return null
  return (
    <section class="group deeds" aria-labelledby="deeds-title">
      <header>
        <h2 id="deeds-title">Done by people</h2>
        <span class="muted says">from pages of this store, with their reasons</span>
      </header>
      <ul>
        {actions.map(({ at, action, sessionId, reason, host, outcome }) => (
          <li key={`${at} ${sessionId}`}>
            <span class="muted">
              <Ago at={at} />
            </span>
            <span class="line">
              {words[action]} {sessionId !== null && <a href={sessionLink(sessionId)}>{visibleLine(sessionId)}</a>}
            </span>
            <span class="line" title={visibleLine(reason)}>
              “{visibleLine(reason)}”
            </span>
            <span class="line muted" title={visibleLine(outcome)}>
              {visibleLine(outcome)} · {visibleLine(host)}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}
