/** One session as one file, for a post-mortem: the data is in the page; there is no server and no action. */
import { render } from 'preact'
import type { SessionDocument } from '../src/session-document.ts'
import { stopClockAt } from './live/server-clock.ts'
import { SessionHead } from './session/session-page.tsx'
import { StepsTable } from './timeline/steps-table.tsx'
import { Timeline } from './timeline/timeline.tsx'
import { dayTime } from './words/clock-time.ts'
import { visibleLine } from '../src/visible-text.ts'

const page = document.getElementById('page')
const data = document.getElementById('session')?.textContent
if (page && data) {
  const session = JSON.parse(data) as SessionDocument
  stopClockAt(session.at)
  document.title = `${visibleLine(session.card.sessionId)} · lastgood report`
  render(
    <main id="content">
      <p class="crumbs muted">
        <strong>lastgood</strong> report of {dayTime(Date.parse(session.at))},{' '}
        {session.hasContent ? 'with content: treat it like the source code' : 'without content'}
      </p>
      <SessionHead document={session} />
      <Timeline document={session} />
      <StepsTable document={session} content={undefined} onEntry={undefined} />
    </main>,
    page,
  )
}
