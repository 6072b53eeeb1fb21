/** The frame of every page: where the user is, whether what is shown is current, and what is wrong with the store. */
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { connection, overview, shownAt, type Connection } from '../live/overview-state.ts'
import { now } from '../live/server-clock.ts'
import { OutagePage } from '../outages/outage-page.tsx'
import { OverviewPage } from '../overview/overview-page.tsx'
import { SessionPage } from '../session/session-page.tsx'
import { ago } from '../../src/durations.ts'
import { visibleLine } from '../../src/visible-text.ts'
import { Countdown, Ago } from './countdown.tsx'
import { HelpDialog, isHelpOpen } from './help-dialog.tsx'
import { Icon, type IconName } from './icon.tsx'
import { places, route, type PlaceName } from './route.ts'
import { SignIn } from './sign-in.tsx'
import { Toasts } from './toasts.tsx'

export function App({ refused }: { refused: string | undefined }): JSX.Element {
  useEffect(() => {
    const { value } = route
    const title =
      value.page === 'session' ? visibleLine(value.sessionId) : places.find(({ page }) => page === value.page)?.title
    document.title = `${title} · lastgood`
  }, [route.value])
  if (refused !== undefined || connection.value.kind === 'signed-out') return <SignIn refused={refused} />
  return (
    <>
      <a class="skip" href="#content" onClick={skip}>
        Skip to content
      </a>
      <header class="top">
        <a class="brand" href="#/">
          <span aria-hidden="true">◆</span> lastgood
        </a>
        <nav aria-label="Pages">
          {places.map(({ page, address, title }) => (
            <a key={page} href={address} aria-current={route.value.page === page ? 'page' : undefined}>
              {title}
            </a>
          ))}
        </nav>
        {overview.value?.readOnly === true && <span class="badge">read-only</span>}
        <Liveness />
        <button
          type="button"
          class="quiet help-button"
          onClick={() => (isHelpOpen.value = true)}
          aria-label="Keys and marks"
        >
          ?
        </button>
      </header>
      <StoreTrouble />
      <main id="content" tabIndex={-1}>
        <Page />
      </main>
      <HelpDialog />
      <Toasts />
    </>
  )
}

/** The fragment is the route, so the link must not change it. */
function skip(event: Event): void {
  event.preventDefault()
  document.getElementById('content')?.focus()
}

const pages: Readonly<Record<PlaceName, () => JSX.Element>> = { overview: OverviewPage, outages: OutagePage }

function Page(): JSX.Element {
  const { value } = route
  if (value.page === 'session') return <SessionPage key={value.sessionId} sessionId={value.sessionId} />
  const Shown = pages[value.page]
  return <Shown />
}

/** What ticks is no part of the status: screen readers would announce it every second. */
function Liveness(): JSX.Element {
  const state = connection.value
  const [icon, tone, words] = livenessOf(state.kind, overview.value?.store.trouble != null)
  const age = shownAt.value === undefined ? 'nothing shown yet' : `as of ${ago(shownAt.value, now.value)}`
  return (
    <span
      class={tone === 'warn' ? 'live not-live' : 'live'}
      title={state.kind === 'lost' ? visibleLine(state.why) : undefined}
    >
      <span role="status">
        <Icon name={icon} tone={tone} /> {words}
      </span>
      {state.kind === 'lost' && (
        <>
          {' '}
          · <span class="number">{age}</span>
        </>
      )}
    </span>
  )
}

function livenessOf(kind: Connection['kind'], isStoreAway: boolean): [icon: IconName, tone: string, words: string] {
  if (kind === 'lost') return ['warn', 'warn', 'not live']
  if (kind !== 'live') return ['wait', 'plain', 'connecting…']
  return isStoreAway ? ['warn', 'warn', 'connected, store away'] : ['ok', 'good', 'live']
}

function StoreTrouble(): JSX.Element | null {
  const store = overview.value?.store
  if (!store) return null
  const { trouble, damage } = store
  return (
    <>
      {trouble && (
        <div class="banner bad">
          <Icon name="down" tone="bad" />
          <div>
            <div role="alert">
              <strong>The store does not answer.</strong> {visibleLine(trouble.message)}
              {trouble.hint !== null && <> · {visibleLine(trouble.hint)}</>}
            </div>
            <div class="muted">
              {visibleLine(store.location)} · since <Ago at={trouble.since} /> · tried again{' '}
              <Countdown to={trouble.retryAt} />. Below is the last known state.
            </div>
          </div>
        </div>
      )}
      {damage && (
        <div class="banner bad" role="alert">
          <Icon name="warn" tone="bad" />
          <div>
            <strong>A session cannot be read.</strong> {visibleLine(damage.message)}
            {damage.hint !== null && <> · {visibleLine(damage.hint)}</>}
            <div class="muted">The others are shown.</div>
          </div>
        </div>
      )}
    </>
  )
}
