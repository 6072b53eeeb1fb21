/**
 * Sessions with the same need: a heading with their number, and their rows, of which only those in view exist.
 *
 * 1. The group that needs a person is never folded.
 * 2. The focused row exists wherever the page is scrolled to.
 */
import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import type { SessionCard } from '../../src/overview.ts'
import { Icon, type IconName } from '../shell/icon.tsx'
import { isNarrow } from '../shell/narrow.ts'
import { offsetsOf } from '../windowed/rows-in-view.ts'
import { useWindow } from '../windowed/use-window.ts'
import type { Group, GroupName } from './groups.ts'
import { SessionRow } from './session-row.tsx'

const titles: Readonly<Record<GroupName, { title: string; says: string; icon: IconName; tone: string }>> = {
  'needs-you': { title: 'Needs you', says: 'stopped until a person acts', icon: 'person', tone: 'bad' },
  waiting: { title: 'Waiting by itself', says: 'continues without you', icon: 'wait', tone: 'warn' },
  recovered: {
    title: 'Recovered today',
    says: 'came through an outage in the last 24 hours',
    icon: 'ok',
    tone: 'good',
  },
  running: { title: 'Running', says: 'at work now', icon: 'run', tone: 'plain' },
  done: { title: 'Done', says: 'at rest', icon: 'done', tone: 'plain' },
}
const rowHeight = { wide: 60, narrow: 104 }

/** The session of the row that keyboard navigation is at. */
const focused = signal<string | undefined>(undefined)
/** Set by keys only: live changes must not take the focus from elsewhere. */
let isFocusWanted = false
const folded = signal<ReadonlySet<GroupName>>(new Set(['done']))

/** Moves the focus by rows, across the unfolded groups. */
export function stepFocus(groups: readonly Group[], step: 1 | -1, isSearching: boolean): void {
  const cards = groups.flatMap(({ name, cards: own }) => (isFolded(name, isSearching) ? [] : own))
  const index = cards.findIndex(({ sessionId }) => sessionId === focused.value)
  const next = cards[index === -1 ? (step === 1 ? 0 : cards.length - 1) : index + step]
  if (!next) return
  isFocusWanted = true
  focused.value = next.sessionId
}

/** A search unfolds every group. */
const isFolded = (name: GroupName, isSearching: boolean): boolean =>
  !isSearching && name !== 'needs-you' && folded.value.has(name)

interface GroupProps {
  group: Group
  isSearching: boolean
}

export function SessionGroup({ group: { name, cards }, isSearching }: GroupProps): JSX.Element | null {
  const { title, says, icon, tone } = titles[name]
  // The group that needs a person is shown even when empty.
  if (cards.length === 0 && (name !== 'needs-you' || isSearching)) return null
  const isOpen = !isFolded(name, isSearching)
  const toggle = (): void => {
    const next = new Set(folded.value)
    if (!next.delete(name)) next.add(name)
    folded.value = next
  }
  return (
    <section class="group" data-group={name} aria-labelledby={`group-${name}`}>
      <header>
        <Icon name={cards.length === 0 ? 'ok' : icon} tone={cards.length === 0 ? 'good' : tone} />
        <h2 id={`group-${name}`}>
          {title}{' '}
          <span class="count number" data-count={cards.length}>
            {cards.length.toLocaleString('en-US')}
          </span>
        </h2>
        <span class="muted says">{says}</span>
        {name !== 'needs-you' && !isSearching && (
          <button
            type="button"
            class="quiet"
            aria-expanded={isOpen}
            aria-label={`${isOpen ? 'Fold' : 'Show'}: ${title}`}
            onClick={toggle}
          >
            {isOpen ? 'Fold' : 'Show'}
          </button>
        )}
      </header>
      {cards.length === 0 && <p class="empty">None. Everything else continues by itself.</p>}
      {isOpen && cards.length > 0 && <Rows cards={cards} />}
    </section>
  )
}

function Rows({ cards }: { cards: readonly SessionCard[] }): JSX.Element {
  const height = isNarrow.value ? rowHeight.narrow : rowHeight.wide
  const offsets = useMemo(() => offsetsOf(cards.length, () => height), [cards.length, height])
  const { place, range } = useWindow(offsets)
  const list = useRef<HTMLUListElement>(null)
  const pinned = cards.findIndex(({ sessionId }) => sessionId === focused.value)
  useLayoutEffect(() => {
    if (!isFocusWanted || pinned === -1) return
    const row = list.current?.querySelector<HTMLElement>(`[data-index="${pinned}"] a`)
    if (!row) return
    isFocusWanted = false
    row.focus({ preventScroll: true })
    row.scrollIntoView({ block: 'nearest' })
  })
  const indices = Array.from({ length: range.end - range.first }, (_, index) => range.first + index)
  if (pinned !== -1 && !indices.includes(pinned)) indices.push(pinned)
  return (
    <ul
      class="rows"
      ref={(element) => {
        list.current = element
        place.current = element
      }}
      style={{ height: `${cards.length * height}px` }}
      onFocusIn={(event) => {
        const row = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>('[data-session]') : null
        if (row) focused.value = row.dataset['session']
      }}
    >
      {indices.map((index) => {
        const card = cards[index]
        return (
          card && (
            <li
              key={card.sessionId}
              data-index={index}
              data-session={card.sessionId}
              aria-setsize={cards.length}
              aria-posinset={index + 1}
              style={{ top: `${index * height}px`, height: `${height}px` }}
            >
              <SessionRow card={card} />
            </li>
          )
        )
      })}
    </ul>
  )
}
