// Six hours of a provider with two outages in them.

import type { OutagesDocument, SessionOutageRow } from '@lastgood/dashboard'
import { iso, stagedNow } from './staged-session.ts'

const minute = 60_000

export function stagedOutages(): OutagesDocument {
  const since = stagedNow - 360 * minute
  const minutes = (isDown: (minute: number) => boolean, asked: number) =>
    Array.from({ length: 360 }, (_, index) => {
      const count = asked + ((index * 13) % 7)
      const failed = isDown(index) ? count : index % 41 === 0 ? 1 : 0
      return { at: iso(since + index * minute), answered: count - failed, failed }
    })
  const first = (index: number): boolean => index >= 90 && index < 182
  const second = (index: number): boolean => index >= 348
  return {
    schema: 'lastgood.outages/v1',
    at: iso(stagedNow),
    since: iso(since),
    providers: [
      {
        endpoint: 'https://api.anthropic.com',
        model: 'claude-opus-5-5',
        minutes: minutes((index) => first(index) || second(index), 8),
      },
      {
        endpoint: 'https://api.anthropic.com',
        model: 'claude-sonnet-5-5',
        minutes: minutes((index) => index === 95, 4),
      },
    ],
    complete: true,
    outages: [
      ...Array.from({ length: 17 }, (_, index) => row(index, since + 348 * minute, null)),
      ...Array.from({ length: 40 }, (_, index) => row(index, since + 90 * minute, since + 182 * minute)),
    ],
  }
}

function row(index: number, from: number, to: number | null): SessionOutageRow {
  const ends = ['same-model', 'same-model', 'fallback', 'resumed'] as const
  const isStopped = index % 19 === 5
  return {
    sessionId: `fix-auth-${index + 1}`,
    since: iso(from + index * 2_000),
    until: isStopped ? iso(from + 10 * minute) : to === null ? null : iso(to + index * 3_000),
    cause: index % 5 === 0 ? '500 api_error' : '529 overloaded_error',
    model: 'claude-opus-5-5',
    attempts: 6 + (index % 4),
    end: isStopped ? 'suspended' : to === null ? null : (ends[index % 4] ?? null),
  }
}
