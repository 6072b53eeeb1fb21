import type { Entry } from '@lastgood/core'
import { describe, expect, test } from 'vitest'
import { checks } from './checks.ts'
import { goodEvidence, recordedAt } from './evidence.fixture.ts'
import type { Evidence, LabEvidence, LabRequest, RepositoryEvidence } from './evidence.ts'
import { migrationCommand, migrationLine } from './project.ts'
import type { PageReading } from './status-page.ts'
import { judge } from './verdict.ts'

const good = await goodEvidence()
const migrationAt = good.effects.findIndex(({ command }) => command === migrationCommand)

function withRepository(changes: Partial<RepositoryEvidence>): Evidence {
  return { ...good, repository: { ...good.repository, ...changes } }
}

function withLab(changes: (lab: LabEvidence) => Partial<LabEvidence>): Evidence {
  const { lab } = good
  if (!lab) throw new Error('the good evidence has a lab')
  return { ...good, lab: { ...lab, ...changes(lab) } }
}

const changedAt = (requests: readonly LabRequest[], at: number, change: (request: LabRequest) => LabRequest) =>
  requests.map((request, i) => (i === at ? change(request) : request))

/** The journal changed after the kill, with a head that fits. */
async function withEntries(change: (entries: readonly Entry[]) => readonly Entry[]): Promise<Evidence> {
  const entries = change(good.atEnd.entries).map((one, i): Entry => ({ ...one, seq: i + 1 }))
  return { ...good, atEnd: await recordedAt(entries, 'release-2') }
}

const patched = (entries: readonly Entry[], type: Entry['type'], patch: (entry: Entry) => Entry) =>
  entries.map((one) => (one.type === type ? patch(one) : one))

describe('the verdict', () => {
  test('on a demo in which everything went well is ok, with numbers that were counted', async () => {
    expect(await judge(good)).toEqual({
      ok: true,
      turnsLost: 0,
      toolsRunTwice: 0,
      resumedFromTurn: 1,
      inputTokensResent: 400,
      inputTokensStartingOver: 1_000,
      cacheHitShare: 0.8,
      faultsSurvived: 2,
      turnsByOther: 1,
      turnsTakenBack: 1,
      requestsRefused: 1,
      requestsMended: 1,
      pageReadings: 2,
      testsPass: true,
      checksPassed: checks.length,
      failed: [],
    })
  })

  test('without the lab leaves out what only the lab can know', async () => {
    const { lab: _lab, ...live } = good
    const verdict = await judge(live)
    expect(verdict).toMatchObject({
      ok: true,
      failed: [],
      checksPassed: checks.filter(({ needsLab }) => !needsLab).length,
    })
    expect(verdict).not.toHaveProperty('faultsSurvived')
  })
})

/** What the status page said at the two readings, and when. */
function withReadings(...readings: PageReading[]): Evidence {
  return withLab(() => ({ page: { readings, visits: readings.length } }))
}

const [early, late] = [4_500, 9_500]
const image = '{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBO"}}'

function answeredBy(entries: readonly Entry[], id: string, model: string): Entry[] {
  return entries.map((one) =>
    one.type === 'response-received' && one.message.id === id ? { ...one, message: { ...one.message, model } } : one,
  )
}

const bad: [what: string, check: string, evidence: Evidence | Promise<Evidence>][] = [
  ['a resume that failed', 'the resumed process ended well', { ...good, resumeExitCode: 1 }],
  [
    'a missing entry',
    'the journal is whole',
    { ...good, atEnd: { ...good.atEnd, entries: good.atEnd.entries.toSpliced(3, 1) } },
  ],
  [
    'a head that says something else',
    'the journal is whole',
    { ...good, atEnd: { ...good.atEnd, head: good.atEnd.head && { ...good.atEnd.head, lastGoodTurn: 1 } } },
  ],
  [
    'an entry that was changed after the kill',
    'what was durable at the kill',
    withEntries((entries) => patched(entries, 'fault-observed', (one) => ({ ...one, at: 1 }))),
  ],
  ['a lost turn', 'no turn was lost', withEntries((entries) => entries.slice(0, -1))],
  ['a turn with other words', 'no turn was lost', { ...good, prompts: [good.prompts[0] ?? '', 'Something else.'] }],
  [
    'a rewind',
    'no turn was lost',
    withEntries((entries) => {
      const last = entries.at(-1) as Entry
      const { v, at, fence, lane, seq } = last
      return [
        ...entries,
        { v, at, fence, lane, seq, type: 'rewound', messages: 8, turn: 2, lastGoodTurn: 2, reason: '' },
      ]
    }),
  ],
  [
    'a kill after the migration',
    'the kill hit the migration',
    {
      ...good,
      effects: [...good.effects, { ...effectAt(migrationAt), phase: 'end' }],
    },
  ],
  [
    'the same process going on',
    'another process',
    withEntries((entries) => {
      const first = entries[0] as Extract<Entry, { type: 'session-opened' }>
      return patched(entries, 'session-resumed', (one) => ({ ...one, owner: first.owner }) as Entry)
    }),
  ],
  [
    'a head that was trusted across machine versions',
    'another process',
    withEntries((entries) =>
      patched(entries, 'session-resumed', (one) => {
        const { refolded: _refolded, ...rest } = one as Extract<Entry, { type: 'session-resumed' }>
        return rest
      }),
    ),
  ],
  [
    'a migration that was run again instead of reported',
    'the model was told',
    withEntries((entries) =>
      entries.map((one) =>
        one.type === 'tool-finished' && one.outcome === 'in-doubt' ? { ...one, outcome: 'ran' as const } : one,
      ),
    ),
  ],
  ['a call that started twice', 'no tool ran twice', { ...good, effects: [effectAt(0), ...good.effects] }],
  ['a doubled ledger line', 'no tool ran twice', withRepository({ ledger: [migrationLine, migrationLine] })],
  ['a doubled ledger line', 'the repository has the work', withRepository({ ledger: [migrationLine, migrationLine] })],
  [
    'a call that the journal does not know',
    'journal and referee',
    { ...good, effects: [...good.effects, { ...effectAt(0), key: 'demo-1:99.1' }] },
  ],
  ['a call that did not end', 'journal and referee', { ...good, effects: good.effects.slice(0, -1) }],
  ['nothing committed', 'the repository has the work', withRepository({ commits: ['the project'] })],
  ['changes left over', 'the repository has the work', withRepository({ isClean: false })],
  ['tests that fail', "the repository's tests pass", withRepository({ tests: { exitCode: 1, pass: 3, fail: 1 } })],
  [
    'tests that were not there',
    "the repository's tests pass",
    withRepository({ tests: { exitCode: 0, pass: 0, fail: 0 } }),
  ],
  [
    'an outage that did not happen',
    'every outage of the script',
    withLab(({ requests }) => ({
      requests: changedAt(requests, 0, ({ outage: _outage, ...rest }) => ({ ...rest, kind: 'ok' })),
    })),
  ],
  [
    'an outage that the journal takes for another',
    'the journal has each of them',
    withLab(({ script }) => ({ script: script.map((one) => ({ ...one, kind: 'overloaded' as const })) })),
  ],
  [
    'a request beside the journal',
    'one request left for each attempt',
    withLab(({ requests }) => ({ requests: [...requests, ...requests.slice(-1)] })),
  ],
  [
    'a transcript that was refused',
    'the lab has nothing against',
    withLab(({ requests }) => ({
      requests: changedAt(requests, 3, (one) => ({
        ...one,
        kind: 'rejected',
        violation: 'tool_use without tool_result',
      })),
    })),
  ],
  [
    'an answer that the journal has otherwise',
    'the journal has the answers',
    withLab(({ requests }) => ({ requests: changedAt(requests, 1, (one) => ({ ...one, messageId: 'msg_9' })) })),
  ],
  [
    'one byte of the prefix that changed',
    'byte for byte',
    withLab(({ requests }) => ({
      requests: changedAt(requests, 3, (one) => ({ ...one, raw: one.raw.replace('broken', 'Broken') })),
    })),
  ],
  [
    'tools of the new release in a request',
    'the redeploy changed the tools',
    withLab(({ requests }) => ({
      requests: changedAt(requests, 3, (one) => ({ ...one, raw: one.raw.replace('"name":"run"', '"name":"ran"') })),
    })),
  ],
  [
    'a redeploy that changed nothing',
    'the redeploy changed the tools',
    withLab(({ deployed }) => ({ deployed: { ...deployed, after: deployed.before } })),
  ],
  [
    'a cold cache',
    'in the prompt cache',
    withEntries((entries) =>
      patched(entries, 'response-received', (one) =>
        one.type === 'response-received' ? { ...one, message: { ...one.message, usage: { input_tokens: 300 } } } : one,
      ),
    ),
  ],
  [
    'an attempt at a model that the journal does not name',
    'one request left for each attempt',
    withLab(({ requests }) => ({ requests: changedAt(requests, 4, (one) => ({ ...one, model: 'sonnet' })) })),
  ],
  [
    'an answer of another model than the journal says',
    'the journal has the answers',
    withEntries((entries) => answeredBy(entries, 'msg_3', 'opus')),
  ],
  [
    'other settings for the same model',
    'byte for byte',
    withLab(({ requests }) => ({
      requests: changedAt(requests, 6, (one) => ({ ...one, raw: one.raw.replace('{', '{"top_k":1,') })),
    })),
  ],
  [
    'the other model in the next turn, too',
    'the other model took one turn',
    withLab(({ requests }) => ({ requests: changedAt(requests, 8, (one) => ({ ...one, model: 'sonnet' })) })),
  ],
  [
    'no other model',
    'the other model took one turn',
    withLab(({ requests }) => ({ requests: changedAt(requests, 5, (one) => ({ ...one, model: 'opus' })) })),
  ],
  [
    'another model without need',
    'the other model took one turn',
    withLab(({ requests }) => ({ requests: changedAt(requests, 4, (one) => ({ ...one, status: 400 })) })),
  ],
  [
    'a change of the model that the journal does not have',
    'the journal has that change',
    withEntries((entries) => entries.filter(({ type }) => type !== 'rung-changed')),
  ],
  [
    'a second refusal',
    'what the API refused was repaired',
    withLab(({ requests }) => ({
      requests: changedAt(requests, 6, (one) => ({ ...one, kind: 'fault' as const, status: 400 })),
    })),
  ],
  [
    'a mended request that was refused again',
    'what the API refused was repaired',
    withLab(({ requests }) => ({
      requests: changedAt(requests, 3, (one) => ({ ...one, kind: 'fault' as const, status: 500 })),
    })),
  ],
  [
    'a mended request with one change too many',
    'what the API refused was repaired',
    withLab(({ requests }) => ({
      requests: changedAt(requests, 3, (one) => ({ ...one, raw: one.raw.replace('broken', 'Broken') })),
    })),
  ],
  [
    'an image that was left out without a word',
    'what the API refused was repaired',
    withLab(({ requests }) => ({
      requests: changedAt(requests, 3, (one) => ({ ...one, raw: one.raw.replace(' left out: ', ': ') })),
    })),
  ],
  [
    'the refused image in a later request',
    'what the API refused was repaired',
    withLab(({ requests }) => ({
      requests: changedAt(requests, 8, (one) => ({ ...one, raw: one.raw.replace('[{', `[${image},{`) })),
    })),
  ],
  [
    'a repair that the journal does not have',
    'what the API refused was repaired',
    withEntries((entries) => entries.filter(({ type }) => type !== 'transcript-repaired')),
  ],
  [
    "a person's words that are not sent as they were said",
    'all that was said and returned',
    withLab(({ requests }) => ({
      requests: changedAt(requests, 8, (one) => ({ ...one, raw: one.raw.replace('tell me', 'tell you') })),
    })),
  ],
  [
    'a result that is missing in what is listed as mended',
    'all that was said and returned',
    withLab(({ requests }) => ({
      requests: changedAt(requests, 8, (one) => ({ ...one, raw: one.raw.replace('"tool_use_id":"call_p",', '') })),
    })),
  ],
  [
    'a last request that lacks the end',
    'all that was said and returned',
    withLab(({ requests }) => ({ requests: requests.slice(0, -1) })),
  ],
  [
    'a status page that knew at once',
    'the status page was late',
    withReadings({ at: early, says: 'incident' }, { at: late, says: 'incident' }),
  ],
  [
    'a status page that never knew',
    'the status page was late',
    withReadings({ at: early, says: 'operational' }, { at: late, says: 'operational' }),
  ],
  ['a status page that was asked too late', 'the status page was late', withReadings({ at: late, says: 'incident' })],
  [
    'a model that did not come back',
    'the status page was late',
    withLab(({ requests }) => ({ requests: requests.slice(0, 6) })),
  ],
  [
    'a visit to the status page that was not shown',
    'asked for its status page',
    withLab(({ page }) => ({ page: { ...page, visits: 3 } })),
  ],
]

describe('the verdict is not ok, and says why, with', () => {
  test.each(bad)('%s: %s', async (_what, check, evidence) => {
    const { ok, failed } = await judge(await evidence)
    expect(ok).toBe(false)
    expect(failed.map((one) => one.check).join('\n')).toContain(check)
  })

  test('every check refuted at least once', () => {
    const refuted = checks.filter(({ name }) => bad.some(([, check]) => name.includes(check)))
    expect(refuted.map(({ name }) => name)).toEqual(checks.map(({ name }) => name))
  })

  test('counts: a lost turn is one lost turn, a doubled call one call too many', async () => {
    expect(await judge(await withEntries((entries) => entries.slice(0, -1)))).toMatchObject({ turnsLost: 1 })
    expect(await judge({ ...good, effects: [effectAt(0), ...good.effects] })).toMatchObject({ toolsRunTwice: 1 })
    expect(await judge(withRepository({ ledger: [migrationLine, migrationLine] }))).toMatchObject({ toolsRunTwice: 1 })
  })
})

function effectAt(at: number): Evidence['effects'][number] {
  const effect = good.effects[at]
  if (!effect) throw new Error(`the good evidence has no effect ${at}`)
  return effect
}
