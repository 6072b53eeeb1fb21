/** What an operator sees first: the provider, the verdict, then every session by what it needs. */
import { counted } from '../words/numbers.ts'
import { computed, signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { overview, refusal, sessions } from '../live/overview-state.ts'
import { CopyCommand } from '../shell/copy-command.tsx'
import { isTyping } from '../shell/keyboard.ts'
import { visibleLine } from '../../src/visible-text.ts'
import { Deeds } from './deeds.tsx'
import { groupsOf } from './groups.ts'
import { ProviderStrip } from './provider-strip.tsx'
import { ResumeAll } from './resume-all.tsx'
import { SessionGroup, stepFocus } from './session-group.tsx'
import { StaggeredBanner } from './staggered-banner.tsx'

/** Kept while another page is shown. */
const search = signal('')
const groups = computed(() => groupsOf(sessions.value.values(), search.value))

export function OverviewPage(): JSX.Element {
  const all = overview.value
  const field = useRef<HTMLInputElement>(null)
  const [isAsking, setAsking] = useState(false)
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && event.target === field.current) {
        search.value = ''
        field.current?.blur()
        return
      }
      if (isTyping(event)) return
      if (event.key === '/') field.current?.focus()
      else if (event.key === 'j' || event.key === 'ArrowDown') stepFocus(groups.value, 1, search.value !== '')
      else if (event.key === 'k' || event.key === 'ArrowUp') stepFocus(groups.value, -1, search.value !== '')
      else return
      event.preventDefault()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
  if (!all) return <p class="empty">Waiting for the first data…</p>
  const shown = groups.value.reduce((sum, { cards }) => sum + cards.length, 0)
  const total = sessions.value.size
  return (
    <>
      <h1 class="unseen">Sessions</h1>
      <ProviderStrip at={all.at} providers={all.providers} statusPage={all.statusPage} />
      <section class={`verdict verdict-${all.verdict.kind}`} aria-label="Is it me or them?" aria-live="polite">
        <p>{visibleLine(all.verdict.text)}</p>
        {all.verdict.command !== null && <CopyCommand command={all.verdict.command} />}
      </section>
      <StaggeredBanner key={all.staggered?.startedAt} staggered={all.staggered} />
      {total > 0 && (
        <>
          <div class="tools">
            <label class="search">
              <span class="unseen">Search sessions</span>
              <input
                ref={field}
                type="search"
                placeholder="Search: id, folder, agent, model, reason"
                value={search.value}
                onInput={(event) => (search.value = event.currentTarget.value)}
              />
              <kbd aria-hidden="true">/</kbd>
            </label>
            <span class="muted number" role="status">
              {search.value === ''
                ? counted(total, 'session')
                : `${shown.toLocaleString('en-US')} of ${total.toLocaleString('en-US')}`}
            </span>
            <span class="grow" />
            <button
              type="button"
              disabled={refusal.value !== undefined}
              title={refusal.value}
              onClick={() => setAsking(true)}
            >
              Resume all when up…
            </button>
          </div>
          {groups.value.map((group) => (
            <SessionGroup key={group.name} group={group} isSearching={search.value !== ''} />
          ))}
        </>
      )}
      {shown === 0 && total > 0 && <p class="empty">No session has all of these words.</p>}
      {total === 0 && (
        <p class="empty">
          No sessions yet. The first one appears here by itself; <code>lastgood demo</code> shows how it looks.
        </p>
      )}
      <Deeds actions={all.actions} />
      {isAsking && <ResumeAll onClose={() => setAsking(false)} />}
    </>
  )
}
