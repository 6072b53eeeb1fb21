import { expect, test } from 'vitest'
import type { EntryBody } from '../journal/journal.ts'
import { machineVersion } from '../machine/machine-state.ts'
import { foldJournal } from '../session/fold.ts'
import { pendingRepairs } from './pending-repairs.ts'

const body = { model: 'claude-opus-4-6', max_tokens: 9, speed: 'fast' }
const turn: EntryBody[] = [
  { type: 'envelope-changed', envelope: { body, betas: [] } },
  { type: 'turn-started', turn: 1, messages: [{ role: 'user', content: 'hi' }] },
]
const away: EntryBody = { type: 'rung-changed', rung: 1, model: 'claude-sonnet-4-5', reason: '529' }
const refused: EntryBody = {
  type: 'fault-observed',
  fault: { kind: 'params-incompatible' },
  decision: { kind: 'repair', rule: 'drop-params:speed' },
}

const pendingAfter = async (...bodies: EntryBody[]) =>
  pendingRepairs(
    await foldJournal(
      bodies.map((one, at) => ({ ...one, v: 3 as const, seq: at + 1, at, fence: 1, lane: 'main' as const })),
      machineVersion,
    ),
  ).repairs.map(({ rule }) => rule)

test('what the request under way was refused for is mended in the next one', async () => {
  expect(await pendingAfter(...turn, refused)).toEqual(['drop-params:speed'])
})

test('what another rung was refused for is mended for it alone', async () => {
  expect(await pendingAfter(...turn, away, refused)).toEqual([])
})
