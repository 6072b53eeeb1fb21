import * as fc from 'fast-check'
import type { EntryBody } from '../journal/journal.ts'

/** A value as JSON returns it: JSON has no -0. */
const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown)

/** Entries with any JSON inside, sealed ones from an outer decorator among them. */
export const anyBody: fc.Arbitrary<EntryBody> = fc.oneof(
  fc.tuple(json, fc.string({ unit: 'binary' })).map(([extra, text]): EntryBody => ({
    type: 'turn-started',
    turn: 1,
    messages: [{ role: 'user', content: [{ extra, type: 'text', text }], zeta: 1, alpha: { extra } }],
  })),
  json.map((value): EntryBody => ({
    type: 'step-finished',
    stepId: 'a',
    outcome: 'ran',
    value,
  })),
  fc.oneof(fc.base64String(), fc.string()).map((data): EntryBody => ({ type: 'sealed', codec: 'deflate', data })),
)
