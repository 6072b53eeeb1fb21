/**
 * The status page beside the outage line: polled while an outage lasts, and never waited for.
 *
 * 1. Not polled before an outage has been shown for some seconds: most are over by then.
 * 2. Polled again with the ticks of the line, at most every 30 s; the poller decides whether the page itself is
 *    fetched, for all sessions of the store.
 */
import type { Clock, StatusPagePoller, StatusReading } from '@lastgood/core'
import { pageLine, pageWords } from '../status/page-words.ts'

export interface PageWatch {
  /** The outage is shown, or still shown. */
  tick(): void
  /** It is over. */
  rest(): void
  /** What the page says, as far as known; empty before the first reading. */
  words(model: string | undefined): string
}

const graceMs = 5_000
const everyMs = 30_000

/** `onChange`: the page says something new. */
export function pageWatch(
  page: Pick<StatusPagePoller, 'poll'> | undefined,
  clock: Clock,
  onChange: () => void,
): PageWatch {
  let reading: (StatusReading & { at: number }) | undefined
  let shownAt: number | undefined
  let askedAt = -Infinity
  let asking: AbortController | undefined

  return {
    tick() {
      const now = clock.now()
      shownAt ??= now
      if (!page || asking || now - shownAt < graceMs || now - askedAt < everyMs) return
      askedAt = now
      void ask(page, (asking = new AbortController()))
    },
    rest() {
      shownAt = undefined
      reading = undefined
      asking?.abort()
      asking = undefined
    },
    words: (model) => {
      if (!reading) return ''
      // It has aged since it was read.
      const ageMs = reading.ageMs + clock.now() - reading.at
      return pageLine(pageWords({ ...reading, ageMs }, model))
    },
  }

  async function ask(one: Pick<StatusPagePoller, 'poll'>, here: AbortController): Promise<void> {
    const found = await one.poll({ urgent: true, signal: here.signal })
    // The outage may have ended, and another one begun.
    if (asking !== here) return
    asking = undefined
    const before = reading && pageWords(reading).says
    reading = { ...found, at: clock.now() }
    if (pageWords(reading).says !== before) onChange()
  }
}
