// Six hours of a provider with two outages in them.

import type { OutageDocument } from '@lastgood/dashboard'
import { iso, stagedNow } from './staged-session.ts'

const minute = 60_000

export function stagedOutages(): OutageDocument {
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
    outages: [
      {
        endpoint: 'https://api.anthropic.com',
        model: 'claude-opus-5-5',
        from: iso(since + 348 * minute),
        to: null,
        cause: '529 overloaded_error',
        sessions: 17,
        recovered: 0,
        waiting: 14,
        needsYou: 3,
      },
      {
        endpoint: 'https://api.anthropic.com',
        model: 'claude-opus-5-5',
        from: iso(since + 90 * minute),
        to: iso(since + 182 * minute),
        cause: '529 overloaded_error, then 500 api_error',
        sessions: 40,
        recovered: 38,
        waiting: 0,
        needsYou: 2,
      },
    ],
  }
}
