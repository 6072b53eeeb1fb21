import { expect, it } from 'vitest'
import { isLastgoodError, LastgoodError } from '../errors.ts'
import { leftOutBy, listError } from './left-out.ts'

const damaged = new LastgoodError('journal-corrupt', 'a.jsonl line 3 is damaged', {
  hint: 'look',
  details: { line: 3 },
})

const newer = new LastgoodError('journal-version', 'b.jsonl is of version 9', { hint: 'update' })

it('the error of a list is that of the first session, and has all', () => {
  const leftOut = Array.from({ length: 13 }, (_, i) => ({
    sessionId: `s${i}`,
    error: i === 1 ? newer : damaged,
  }))
  const error = listError(leftOut)
  expect(error).toMatchObject({
    code: 'journal-corrupt',
    message: 'a.jsonl line 3 is damaged; also unreadable: s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, …',
    hint: 'look',
    details: { line: 3 },
  })
  expect(leftOutBy(error)).toEqual(
    leftOut.map(({ sessionId }, i) => ({ sessionId, code: i === 1 ? 'journal-version' : 'journal-corrupt' })),
  )
  const one = listError(leftOut.slice(0, 1))
  expect(isLastgoodError(one) && one.message).toBe(damaged.message)
})

it('what is not about one journal comes first: who lives with a damaged session does not take unheard ones for none', () => {
  const away = new LastgoodError('store-unavailable', 'no answer', { hint: 'start it' })
  const error = listError([
    { sessionId: 'a', error: damaged },
    { sessionId: 'b', error: away },
  ])
  expect(error).toMatchObject({ code: 'store-unavailable', message: 'no answer; also unreadable: a', hint: 'start it' })
  expect(leftOutBy(error).map(({ sessionId }) => sessionId)).toEqual(['a', 'b'])
  const bug = new TypeError('bug')
  expect(
    listError([
      { sessionId: 'a', error: damaged },
      { sessionId: 'b', error: bug },
    ]),
  ).toBe(bug)
})

it('an error that is not of a list names no session; one that is no error of ours stays what it is', () => {
  expect(leftOutBy(damaged)).toEqual([])
  expect(leftOutBy(undefined)).toEqual([])
  const bug = new TypeError('bug')
  expect(listError([{ sessionId: 'a', error: bug }])).toBe(bug)
})
