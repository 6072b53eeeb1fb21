import { describe, expect, test } from 'vitest'
import { actionIn, resumeAllBody } from './action-body.ts'

const reason = 'the provider is back'

describe('what cannot be taken', () => {
  test.each([
    ['fork', { reason, newid: 'x' }, 'newid is not valid: there is no such field', /reason, to, at, newId/],
    ['fork', { reason, constructor: 1 }, 'constructor is not valid: there is no such field', /reason, to, at, newId/],
    [
      'fork',
      JSON.parse(`{ "reason": "r", "__proto__": 1 }`),
      '__proto__ is not valid: there is no such field',
      /reason, to/,
    ],
    ['fork', { reason, newId: 7 }, 'newId is not valid: invalid_type', /name of a session/],
    ['rewind', { reason, to: -1 }, 'to is not valid: too_small', /number of a turn/],
    ['rewind', { reason }, 'to is not valid: invalid_type', /number of a turn/],
    ['resume', { reason, inDoubt: 'ask' }, 'inDoubt is not valid: invalid_value', /rerun or report/],
    ['suspend', { reason: '' }, 'reason is not valid: too_small', /1 to 300 characters/],
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
