import { forkSession, openSession } from '@lastgood/core'
import { expect, it } from 'vitest'
import { answered, ended, project, seed, sent, started } from '../../test/context.ts'
import { firstWordsIn, firstWordsOf } from './first-words.ts'

it('are what a person said first, without what a client put around it', () => {
  const reminder = '<system-reminder>\nThe date is today.\n</system-reminder>'
  const content = [
    { type: 'text', text: reminder },
    { type: 'image', source: {} },
    { type: 'text', text: `${reminder}  Make it\n green  ` },
  ]
  expect(
    firstWordsIn([
      { role: 'system', content: 'x' },
      { role: 'user', content },
    ]),
  ).toBe('Make it green')
})

it('are none of what Claude Code says of its own commands and of an interruption', () => {
  const texts = [
    '<local-command-caveat>Do not answer these.</local-command-caveat>',
    '<local-command-stdout>Set model to sonnet</local-command-stdout>',
    '[Request interrupted by user for tool use]',
    'Make it green',
  ]
  const content = texts.map((text) => ({ type: 'text', text }))
  expect(firstWordsIn([{ role: 'user', content }])).toBe('Make it green')
})

it.each([
  ['no message', []],
  ['only blanks', [{ role: 'user', content: ' \n ' }]],
  ['only a picture', [{ role: 'user', content: [{ type: 'image' }] }]],
])('are none where there is %s', (_what, messages) => {
  expect(firstWordsIn(messages)).toBeUndefined()
})

it('are cut, and never in the middle of a character', () => {
  const words = firstWordsIn([{ role: 'user', content: '🎉'.repeat(1_000) }]) ?? ''
  expect(words).toHaveLength(300)
  expect(words.isWellFormed()).toBe(true)
})

it('of a fork are those of the session that it came from', async () => {
  const { store } = project()
  await seed(store, 'first', [started(1, 'Make it green'), sent(), answered('Yes.'), ended(1)])
  await forkSession(store, 'first', 'second', {})
  const { head } = (await store.summary('second')) ?? {}
  expect(head && (await firstWordsOf(store, head))).toBe('Make it green')
})

it('of a session that cannot be read, or has no turn, are none', async () => {
  const { store } = project()
  await (await openSession('empty', { store })).close()
  expect(await firstWordsOf(store, { sessionId: 'empty' })).toBeUndefined()
  expect(await firstWordsOf(store, { sessionId: 'not-there' })).toBeUndefined()
})
