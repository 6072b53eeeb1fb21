/** One session in one row; the whole row links to its page. */
import type { JSX } from 'preact'
import type { SessionCard } from '../../src/overview.ts'
import { Ago, isTried, NextTry } from '../shell/countdown.tsx'
import { Icon, type IconName } from '../shell/icon.tsx'
import { sessionLink } from '../shell/route.ts'
import { spent } from '../../src/durations.ts'
import { counted } from '../words/numbers.ts'
import { visibleLine } from '../../src/visible-text.ts'

const looks: Readonly<Record<SessionCard['status'], [IconName, string, string]>> = {
  idle: ['done', 'plain', 'at rest'],
  running: ['run', 'good', 'running'],
  waiting: ['wait', 'warn', 'waiting'],
  suspended: ['held', 'warn', 'suspended'],
  'needs-input': ['person', 'bad', 'needs an answer'],
  interrupted: ['down', 'bad', 'interrupted'],
  queued: ['wait', 'plain', 'queued'],
}
const recoveries = { 'same-model': 'same model', fallback: 'another model', resumed: 'resumed' }

export function Status({ card }: { card: SessionCard }): JSX.Element {
  const [icon, tone, word] = looks[card.status]
  return (
    <span class="status" data-status={card.status}>
      <Icon name={icon} tone={tone} /> <span>{word}</span>
    </span>
  )
}

export function SessionRow({ card }: { card: SessionCard }): JSX.Element {
  const { sessionId, agent, cwd, lastGoodTurn, turn } = card
  const facts = [agent, cwd === null ? null : shortFolder(cwd)].filter((fact) => fact !== null)
  return (
    <a class="row" href={sessionLink(sessionId)}>
      <Status card={card} />
      <span class="who">
        <strong class="line">{visibleLine(sessionId)}</strong>
        <span class="line muted">{facts.map(visibleLine).join(' · ') || 'no agent'}</span>
      </span>
      <span class="why">
        <Why card={card} />
      </span>
      <span class="turns number">
        <span class="line">{lastGoodTurn === 0 ? 'no turn saved yet' : `saved at turn ${lastGoodTurn}`}</span>
        <span class="line muted">{turn > lastGoodTurn ? `in turn ${turn}` : 'nothing open'}</span>
      </span>
      <span class="when number">
        <When card={card} />
      </span>
    </a>
  )
}

function Why({
  card: { group, reason, recovered, fallback, model, clientCommand },
}: {
  card: SessionCard
}): JSX.Element {
  const onModel = fallback === null ? (model ?? '') : `on ${fallback} instead of ${model ?? 'its own model'}`
  const came =
    recovered &&
    `came through in ${spent(recovered.afterMs)} · ${recoveries[recovered.how]} · ${counted(recovered.attempts, 'attempt')}`
  const first = group === 'recovered' && came ? came : (reason ?? '')
  const client = clientCommand === null ? '' : 'continues in its own client'
  const second = [onModel, client].filter((part) => part !== '').join(' · ')
  return (
    <>
      <span class="line" title={visibleLine(first)}>
        {visibleLine(first === '' ? second : first)}
      </span>
      {first !== '' && (
        <span class="line muted">
          {fallback !== null && <span class="fallback-mark">⇄</span>} {visibleLine(second)}
        </span>
      )}
    </>
  )
}

function When({ card }: { card: SessionCard }): JSX.Element {
  const { group, updatedAt, recovered } = card
  if (isTried(card)) {
    return (
      <>
        <span class="line">
          <NextTry card={card} />
        </span>
        <span class="line muted">
          last entry <Ago at={updatedAt} />
        </span>
      </>
    )
  }
  return (
    <span class="line muted">
      <Ago at={group === 'recovered' && recovered ? recovered.at : updatedAt} />
    </span>
  )
}

/** The end of a path, which identifies the project. */
function shortFolder(path: string): string {
  const parts = path.split(/[\\/]/).filter(Boolean)
  return parts.length <= 2 ? path : `…/${parts.slice(-2).join('/')}`
}
