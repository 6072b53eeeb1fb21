/** The provider, model by model, as requests from here found it, and what its status page says. */
import type { JSX } from 'preact'
import type { ProviderCard, StatusPageCard } from '../../src/overview.ts'
import { Ago, Countdown } from '../shell/countdown.tsx'
import { Icon, type IconName } from '../shell/icon.tsx'
import { percent } from '../words/numbers.ts'
import { visibleLine } from '../../src/visible-text.ts'

const looks: Readonly<Record<ProviderCard['state'], [IconName, string]>> = {
  up: ['ok', 'good'],
  degraded: ['warn', 'warn'],
  down: ['down', 'bad'],
  held: ['held', 'warn'],
  unknown: ['unknown', 'plain'],
}
const pageLooks: Readonly<Record<StatusPageCard['says'], [IconName, string, string]>> = {
  operational: ['ok', 'good', 'operational'],
  incident: ['warn', 'warn', 'incident'],
  unknown: ['unknown', 'plain', 'unknown'],
  'not-asked': ['unknown', 'plain', 'not asked'],
}

interface StripProps {
  /** The instant that the cards describe. */
  at: string
  providers: readonly ProviderCard[]
  statusPage: StatusPageCard
}

export function ProviderStrip({ at, providers, statusPage }: StripProps): JSX.Element {
  return (
    <section class="strip" aria-label="Providers">
      {providers.map((card) => (
        <Provider key={`${card.endpoint} ${card.model}`} card={card} at={at} />
      ))}
      {providers.length === 0 && <div class="card muted">No requests yet: nothing is known of any provider.</div>}
      <StatusPage card={statusPage} />
    </section>
  )
}

function Provider({ card, at }: { card: ProviderCard; at: string }): JSX.Element {
  const [icon, tone] = looks[card.state]
  const { answered, failed } = card.last5Min
  const total = answered + failed
  return (
    <article class={`card state-${card.state}`} data-provider={card.model}>
      <header>
        <Icon name={icon} tone={tone} />
        <strong class={`word tone-${tone}`}>{card.state}</strong>
        <h2 title={visibleLine(card.model)}>{visibleLine(card.model)}</h2>
      </header>
      <p class="muted line host" title={visibleLine(card.endpoint)}>
        {card.downSince !== null && (
          <>
            since <Ago at={card.downSince} /> ·{' '}
          </>
        )}
        {visibleLine(hostOf(card.endpoint))}
      </p>
      <Minutes card={card} at={at} />
      <p class="line">
        {total === 0 ? (
          <span class="muted">no requests in 5 min</span>
        ) : (
          <>
            <span class="number">{percent(failed, total)}</span> failed
            <span class="muted number">
              {' '}
              · {failed} of {total} in 5 min
            </span>
          </>
        )}
      </p>
      <p class="line muted">
        breaker {card.breaker}
        {card.nextProbeAt !== null && (
          <>
            {' '}
            · next probe <Countdown to={card.nextProbeAt} />
          </>
        )}
        {card.heldUntil !== null && (
          <>
            {' '}
            · held, ends <Countdown to={card.heldUntil} />
          </>
        )}
        {card.nextProbeAt === null && card.heldUntil === null && card.lastFault !== null && (
          <>
            {' '}
            · last fault {visibleLine(card.lastFault.kind)} <Ago at={card.lastFault.at} />
          </>
        )}
      </p>
    </article>
  )
}

/** Answered above, failed below, one column a minute: failures are recognised without colours. */
function Minutes({ card, at }: { card: ProviderCard; at: string }): JSX.Element {
  const most = Math.max(1, ...card.minutes.map(({ answered, failed }) => Math.max(answered, failed)))
  const { answered, failed } = card.lastHour
  return (
    <svg
      class="minutes"
      viewBox="0 0 60 20"
      preserveAspectRatio="none"
      role="img"
      aria-label={`last hour: ${answered} answered, ${failed} failed`}
    >
      <path class="base" d="M0 10.5H60" />
      {card.minutes.map((minute) => {
        const x = 59 - Math.max(0, Math.floor((Date.parse(at) - Date.parse(minute.at)) / 60_000))
        const up = (minute.answered / most) * 10
        const down = (minute.failed / most) * 9
        return (
          <g key={minute.at}>
            {up > 0 && <rect class="answered" x={x + 0.1} y={10 - up} width="0.8" height={up} />}
            {down > 0 && <rect class="failed" x={x + 0.1} y="11" width="0.8" height={down} />}
          </g>
        )
      })}
    </svg>
  )
}

function StatusPage({ card }: { card: StatusPageCard }): JSX.Element {
  const [icon, tone, word] = pageLooks[card.says]
  const open = card.incidents.filter(({ concernsApi }) => concernsApi)
  return (
    <article class="card" data-status-page={card.says}>
      <header>
        <Icon name={icon} tone={tone} />
        <strong class={`word tone-${tone}`}>{word}</strong>
        <h2>status page</h2>
      </header>
      <p class="line muted">
        {card.checkedAt === null ? (
          'advice only; it blocks nothing'
        ) : (
          <>
            read <Ago at={card.checkedAt} />
          </>
        )}
      </p>
      <p class="words">{visibleLine(card.text)}</p>
      {open.slice(0, 1).map((incident) => (
        <p class="line muted" key={incident.name} title={visibleLine(incident.name)}>
          {visibleLine(incident.status)}
          {incident.startedAt !== null && (
            <>
              {' '}
              · began <Ago at={incident.startedAt} />
            </>
          )}
        </p>
      ))}
    </article>
  )
}

function hostOf(endpoint: string): string {
  return URL.canParse(endpoint) ? new URL(endpoint).host : endpoint
}
