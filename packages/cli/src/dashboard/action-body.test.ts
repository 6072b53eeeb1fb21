import { describe, expect, test } from 'vitest'
import { actionIn, resumeAllBody } from './action-body.ts'

const reason = 'the provider is back'

describe('what cannot be taken', () => {
  test.each([
    ['fork', { reason, newid: 'x' }, 'newid cannot be taken: there is no such field', /reason, to, at, newId/],
    [
      'fork',
      { reason, constructor: 1 },
      'constructor cannot be taken: there is no such field',
      /reason, to, at, newId/,
    ],
    [
      'fork',
      JSON.parse(`{ "reason": "r", "__proto__": 1 }`),
      '__proto__ cannot be taken: there is no such field',
      /reason, to/,
    ],
    ['fork', { reason, newId: 7 }, 'newId cannot be taken: invalid_type', /name of a session/],
    ['rewind', { reason, to: -1 }, 'to cannot be taken: too_small', /number of a turn/],
    ['rewind', { reason }, 'to cannot be taken: invalid_type', /number of a turn/],
    ['resume', { reason, inDoubt: 'ask' }, 'inDoubt cannot be taken: invalid_value', /rerun or report/],
    ['suspend', { reason: '' }, 'reason cannot be taken: too_small', /1 to 300 characters/],
  ] as const)('of %s %j is told by its name, with what would be taken', (name, body, message, hint) => {
    expect(() => actionIn(name, body)).toThrow(
      expect.objectContaining({ code: 'bad-option', message, hint: expect.stringMatching(hint) }),
    )
  })

  test('of resume all too', () => {
    expect(() => resumeAllBody({ reason, everyMs: 'soon' })).toThrow(
      expect.objectContaining({ code: 'bad-option', hint: expect.stringContaining('milliseconds') }),
    )
  })
})
