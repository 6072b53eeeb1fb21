/**
 * One session: what it is, what can be done with it, and its timeline.
 *
 * 1. Content is loaded only once it is asked for, and leaves with the page.
 */
import { useComputed } from '@preact/signals'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { SessionDocument } from '../../src/session-document.ts'
import { sessions } from '../live/overview-state.ts'
import { Status } from '../overview/session-row.tsx'
import { Ago, isTried, NextTry } from '../shell/countdown.tsx'
import { Timeline } from '../timeline/timeline.tsx'
import { StepsTable } from '../timeline/steps-table.tsx'
import { spent } from '../../src/durations.ts'
import { compact } from '../../src/numbers.ts'
import { counted } from '../words/numbers.ts'
import { visibleLine } from '../../src/visible-text.ts'
import { isOpen, type ActionName } from './actions.ts'
import { EntryDialog } from './entry-dialog.tsx'
import { SessionActions } from './session-actions.tsx'
import { StartedResume } from './started-resume.tsx'
import { useSessionDocument } from './use-session-document.ts'

export function SessionPage({ sessionId }: { sessionId: string }): JSX.Element {
  const [hasContent, setContent] = useState(false)
  const [chosen, choose] = useState<ActionName>()
  const [entry, setEntry] = useState<number>()
  const card = useComputed(() => sessions.value.get(sessionId))
  const { entries = 0, status = '', heldBy = null } = card.value ?? {}
  const { document, failure, again } = useSessionDocument(sessionId, hasContent, `${entries} ${status} ${heldBy?.pid}`)
  if (!document) {
    return (
      <>
        <Crumbs />
        {failure === undefined ? (
          <p class="empty">Reading {visibleLine(sessionId)}…</p>
        ) : (
          <p class="empty" role="alert">
            {visibleLine(failure)}
          </p>
        )}
      </>
    )
  }
  return (
    <>
      <Crumbs />
      <SessionHead document={{ ...document, card: card.value ?? document.card }} />
      {failure !== undefined && (
        <p class="failure" role="alert">
          {visibleLine(failure)}
        </p>
      )}
      <SessionActions document={document} chosen={chosen} choose={choose} onDone={again} />
      {document.started && <StartedResume started={document.started} />}
      <Timeline document={document} onResume={() => choose('resume')} />
      <StepsTable
        document={document}
        content={{ isShown: hasContent, toggle: () => setContent((is) => !is) }}
        onEntry={setEntry}
      />
      {entry !== undefined && <EntryDialog sessionId={sessionId} seq={entry} onClose={() => setEntry(undefined)} />}
    </>
  )
}

function Crumbs(): JSX.Element {
  return (
    <p class="crumbs">
      <a href="#/">← All sessions</a>
    </p>
  )
}

/** Also the head of a report. */
export function SessionHead({ document: { card, turns, totals } }: { document: SessionDocument }): JSX.Element {
  const ended = turns.filter(({ state }) => state === 'ended').length
  const rewound = turns.filter(({ state }) => state === 'rewound').length
  const { tokens } = totals
  const cached = tokens.input === 0 ? 0 : Math.round((tokens.cacheRead / tokens.input) * 100)
  const { recovered, heldBy, fallback } = card
  return (
    <section class="session-head" aria-label="Session">
      <div class="name">
        <h1>{visibleLine(card.sessionId)}</h1>
        <Status card={card} />
        {isTried(card) && (
          <span class="number">
            <NextTry card={card} />
          </span>
        )}
        <span class="muted">
          last entry <Ago at={card.updatedAt} />
        </span>
      </div>
      {card.reason !== null && <p class="reason">{visibleLine(card.reason)}</p>}
      <dl class="facts">
        <Fact name="last good turn" value={card.lastGoodTurn === 0 ? 'none yet' : String(card.lastGoodTurn)} isStrong />
        <Fact
          name="turns"
          value={`${ended} saved${isOpen(card) ? ', 1 open' : ''}${rewound > 0 ? `, ${rewound} rewound` : ''}`}
        />
        <Fact
          name="failures"
          value={totals.faults === 0 ? 'none' : `${totals.faults} of ${counted(totals.requests, 'request')}`}
        />
        <Fact name="tool calls" value={String(totals.tools)} />
        <Fact name="entries" value={card.entries.toLocaleString('en-US')} />
        <Fact
          name="tokens"
          value={`${compact(tokens.input)} in (${cached} % from cache), ${compact(tokens.output)} out`}
        />
        <Fact
          name="model"
          value={fallback === null ? (card.model ?? 'unknown') : `${fallback}, instead of ${card.model ?? 'its own'}`}
        />
        {card.agent !== null && <Fact name="agent" value={card.agent} />}
        {card.cwd !== null && <Fact name="folder" value={card.cwd} isLong />}
        {recovered && (
          <Fact
            name="last recovery"
            value={`in ${spent(recovered.afterMs)}, ${counted(recovered.attempts, 'attempt')}`}
          />
        )}
        {heldBy && <Fact name="held by" value={`pid ${heldBy.pid} on ${heldBy.host}`} />}
      </dl>
    </section>
  )
}

interface FactProps {
  name: string
  value: string
  isStrong?: boolean
  isLong?: boolean
}

function Fact({ name, value, isStrong = false, isLong = false }: FactProps): JSX.Element {
  return (
    <div class={isLong ? 'long' : ''}>
      <dt>{name}</dt>
      <dd class={`number${isStrong ? ' strong' : ''}`}>{visibleLine(value)}</dd>
    </div>
  )
}
