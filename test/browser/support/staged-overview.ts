// Overviews as documents: a morning on which a provider is down, and any number of sessions.

import type { Overview, ProviderCard, SessionCard } from '@lastgood/dashboard'
import { everyMark, iso, stagedCard, stagedNow } from './staged-session.ts'

const [second, minute] = [1_000, 60_000]

export function stagedOverview(sessions: SessionCard[] = stagedCards()): Overview {
  return {
    schema: 'lastgood.overview/v1',
    at: iso(stagedNow),
    store: { location: 'redis://127.0.0.1:6379', trouble: null, damage: null },
    readOnly: false,
    verdict: {
      kind: 'outage',
      text: 'It is the API: claude-opus-5-5 is down since 12 minutes. It is not your prompt, key or quota; sessions wait and go on by themselves.',
      command: 'lastgood status --store redis://10.0.0.5:6379 --no-page',
    },
    providers: [
      provider(
        {
          model: 'claude-opus-5-5',
          state: 'down',
          breaker: 'open',
          cause: 'overloaded',
          downSince: iso(stagedNow - 12 * minute),
          nextProbeAt: iso(stagedNow + 23 * second),
          last5Min: { answered: 0, failed: 41 },
          lastFault: { kind: 'overloaded', at: iso(stagedNow - 9 * second) },
        },
        12,
      ),
      provider(
        {
          model: 'claude-sonnet-5-5',
          state: 'degraded',
          last5Min: { answered: 58, failed: 7 },
          lastFault: { kind: 'overloaded', at: iso(stagedNow - 70 * second) },
        },
        3,
      ),
      provider({ model: 'claude-haiku-5-5', state: 'up', last5Min: { answered: 112, failed: 0 } }, 0),
    ],
    statusPage: {
      says: 'incident',
      text: 'Elevated errors on claude-opus-5-5 (investigating)',
      checkedAt: iso(stagedNow - 41 * second),
      incidents: [
        {
          name: 'Elevated errors on claude-opus-5-5',
          status: 'investigating',
          impact: 'major',
          startedAt: iso(stagedNow - 9 * minute),
          concernsApi: true,
        },
      ],
    },
    sessions,
    staggered: null,
    actions: [
      {
        at: iso(stagedNow - 21 * minute),
        action: 'resume',
        sessionId: 'csv-export-billing-25',
        reason: 'the release waits for it',
        host: 'build-1',
        outcome: 'It goes on in turn 14.',
      },
      {
        at: iso(stagedNow - 55 * minute),
        action: 'suspend',
        sessionId: 'dark-mode-docs-43',
        reason: 'frees the quota for the release',
        host: 'build-1',
        outcome: 'Suspended at turn 5.',
      },
    ],
  }
}

/** The store is away, no action is possible, and a round of resumes was under way. */
export function troubledOverview(): Overview {
  const overview = stagedOverview()
  const ids = overview.sessions.map(({ sessionId }) => sessionId)
  return {
    ...overview,
    readOnly: true,
    store: {
      location: 'redis://127.0.0.1:6379',
      trouble: {
        code: 'store-unreachable',
        message: 'redis://127.0.0.1:6379 does not answer: connect ECONNREFUSED 127.0.0.1:6379',
        hint: 'start it, or name another one: --store <url>',
        since: iso(stagedNow - 95 * second),
        retryAt: iso(stagedNow + 8 * second),
      },
      damage: null,
    },
    staggered: {
      startedAt: iso(stagedNow - 40 * second),
      reason: 'the outage is over',
      state: 'going',
      everyMs: 5 * second,
      done: ids.slice(0, 6),
      left: ids.slice(6, 16),
      failed: [{ sessionId: 'add-index-search-3', why: 'pid 4002 on build-7 has it' }],
      nextAt: iso(stagedNow + 3 * second),
    },
  }
}

function provider(changes: Partial<ProviderCard> & { model: string }, minutesDown: number): ProviderCard {
  const minutes = Array.from({ length: 60 }, (_, index) => {
    const isDown = index >= 60 - minutesDown
    const asked = 6 + ((index * 7) % 5)
    const failed = isDown ? (changes.state === 'down' ? asked : index % 3) : index % 17 === 0 ? 1 : 0
    return { at: iso(stagedNow - (59 - index) * minute), answered: asked - failed, failed }
  })
  const sum = (side: 'answered' | 'failed'): number => minutes.reduce((all, one) => all + one[side], 0)
  return {
    endpoint: 'https://api.anthropic.com',
    state: 'up',
    breaker: 'closed',
    cause: null,
    downSince: null,
    nextProbeAt: null,
    heldUntil: null,
    last5Min: { answered: 0, failed: 0 },
    lastHour: { answered: sum('answered'), failed: sum('failed') },
    minutes,
    lastFault: null,
    ...changes,
  }
}

const projects = ['checkout', 'billing', 'search', 'mobile', 'infra', 'docs']
const tasks = ['fix-auth', 'bump-deps', 'add-index', 'flaky-test', 'i18n', 'dark-mode', 'rate-limit', 'csv-export']

/** 3 need a person, 14 wait, 6 have recovered, and so on: 40 in all. */
export function stagedCards(): SessionCard[] {
  const cards: SessionCard[] = [
    { ...everyMark().card, updatedAt: iso(stagedNow - 4 * minute) },
    stagedCard({
      sessionId: 'migrate-billing',
      group: 'needs-you',
      status: 'needs-input',
      turn: 8,
      lastGoodTurn: 7,
      reason: 'the tool deploy was started and its outcome is unknown: a person decides',
      updatedAt: iso(stagedNow - 11 * minute),
    }),
    stagedCard({
      sessionId: '7f3c0a52-6d1e-4c8e-9f0b-2a61f7d0c914',
      group: 'needs-you',
      status: 'interrupted',
      agent: 'claude-code',
      turn: 31,
      lastGoodTurn: 30,
      reason: 'its process is gone',
      clientCommand: 'claude --resume 7f3c0a52-6d1e-4c8e-9f0b-2a61f7d0c914',
      updatedAt: iso(stagedNow - 26 * minute),
    }),
  ]
  const name = (index: number): string => `${tasks[index % tasks.length]}-${projects[index % projects.length]}`
  for (let index = 0; index < 14; index++) {
    cards.push(
      stagedCard({
        sessionId: `${name(index)}-${index + 1}`,
        group: 'waiting',
        status: 'waiting',
        cwd: `/srv/agents/${projects[index % projects.length]}`,
        turn: 4 + index,
        lastGoodTurn: 3 + index,
        reason: 'claude-opus-5-5 is down: 529 overloaded_error, attempt 7',
        dueAt: iso(stagedNow + (23 + index * 11) * second),
        updatedAt: iso(stagedNow - (30 + index * 3) * second),
        heldBy: { host: 'build-7', pid: 4000 + index, since: iso(stagedNow - 40 * minute) },
      }),
    )
  }
  for (let index = 0; index < 6; index++) {
    cards.push(
      stagedCard({
        sessionId: `${name(index + 20)}-${index + 20}`,
        group: 'recovered',
        status: 'running',
        fallback: index % 2 === 0 ? 'claude-sonnet-5-5' : null,
        turn: 9 + index,
        lastGoodTurn: 8 + index,
        recovered: {
          at: iso(stagedNow - (2 + index * 9) * minute),
          afterMs: (40 + index * 73) * second,
          how: (['fallback', 'same-model', 'resumed'] as const)[index % 3] ?? 'resumed',
          attempts: 3 + index,
        },
        heldBy: { host: 'build-3', pid: 5000 + index, since: iso(stagedNow - 40 * minute) },
      }),
    )
  }
  for (let index = 0; index < 5; index++) {
    cards.push(
      stagedCard({
        sessionId: `${name(index + 30)}-${index + 30}`,
        group: 'running',
        status: 'running',
        model: 'claude-haiku-5-5',
        turn: 3 + index,
        lastGoodTurn: 2 + index,
        updatedAt: iso(stagedNow - index * 2 * second),
        heldBy: { host: 'build-1', pid: 6000 + index, since: iso(stagedNow - 9 * minute) },
      }),
    )
  }
  for (let index = 0; index < 12; index++) {
    cards.push(
      stagedCard({
        sessionId: `${name(index + 40)}-${index + 40}`,
        turn: 5,
        lastGoodTurn: 5,
        updatedAt: iso(stagedNow - (index + 1) * 17 * minute),
      }),
    )
  }
  return cards
}

export function manyCards(count: number): SessionCard[] {
  const groups = ['needs-you', 'waiting', 'running', 'done'] as const
  const status = { 'needs-you': 'interrupted', waiting: 'waiting', running: 'running', done: 'idle' } as const
  return Array.from({ length: count }, (_, index) => {
    const group = groups[index % 100 === 0 ? 0 : 1 + (index % 3)] ?? 'done'
    return stagedCard({
      sessionId: `session-${String(index).padStart(5, '0')}`,
      group,
      status: status[group],
      dueAt: group === 'waiting' ? iso(stagedNow + index * second) : null,
      updatedAt: iso(stagedNow - index * second),
    })
  })
}
