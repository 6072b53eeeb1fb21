import { expect, test } from 'vitest'
import { ended, obliging, project, run, seed, sent, started } from '../test/context.ts'
import { atSamePlace, placeIn } from './same-place.ts'

test.each([
  ['continue with: lastgood resume a', 'continue with: lastgood resume a --store S'],
  [
    'lastgood fork a; or: lastgood resume a --takeover',
    'lastgood fork a --store S; or: lastgood resume a --store S --takeover',
  ],
  ['lastgood resume a --in-doubt rerun|report', 'lastgood resume a --store S --in-doubt rerun|report'],
  ['lastgood repair ./notes', 'lastgood repair ./notes'],
  ['lastgood repair notes/a.json', 'lastgood repair notes/a.json'],
  ['lastgood list --all; lastgood show a.b.', 'lastgood list --all --store S; lastgood show a.b --store S.'],
  ['lastgood list shows them', 'lastgood list --store S shows them'],
  ['ask lastgood doctor', 'ask lastgood doctor --store S'],
  ['lastgood import <file> --as a', 'lastgood import <file> --store S --as a'],
  [
    'export it where it is: lastgood export <session> <file>',
    'export it where it is: lastgood export <session> <file>',
  ],
  ['it is elsewhere: lastgood show a --store T', 'it is elsewhere: lastgood show a --store T'],
  ['lastgood show --help', 'lastgood show --help'],
  ['lastgood gateway, or lastgood demo', 'lastgood gateway, or lastgood demo'],
])('%s: its commands lead to the same store', (text, led) => {
  expect(atSamePlace(text, ['show', 'x', '--store', 'S'])).toBe(led)
  expect(atSamePlace(text, ['show', 'x'])).toBe(text)
})

test('what stands behind -- names no place, and no password is shown', () => {
  expect(placeIn(['run', '--config=c.mjs', '--', 'claude', '--store', 'S'])).toEqual({ config: 'c.mjs' })
  const argv = ['show', '--store=redis://kim:s3cret@127.0.0.1', '--config', 'c.mjs']
  expect(atSamePlace('lastgood show a', argv)).toBe('lastgood show a --store redis://127.0.0.1 --config c.mjs')
})

test.each([
  [['rewind', 'done', '--turn', '9'], 'lastgood show done --store state shows them'],
  [['fork', 'done', 'done'], 'lastgood show done --store state shows the existing one'],
  [['fork', 'open'], 'lastgood resume open --store state'],
])('the hint of %j acts on the store that was asked', async (argv, hint) => {
  const { cwd, store } = project(obliging)
  await seed(store, 'done', [
    started(1),
    sent(),
    {
      type: 'response-received',
      message: {
        id: 'm',
        role: 'assistant',
        model: 'm',
        content: [{ type: 'text', text: 'Yes.' }],
        stop_reason: 'end_turn',
      },
    },
    ended(1),
  ])
  await seed(store, 'open', [started(1), sent()])
  const { code, stderr } = await run([...argv, '--store', 'state'], { cwd })
  expect(code).not.toBe(0)
  expect(stderr).toContain(hint)
  const { stdout } = await run([...argv, '--store', 'state', '--json'], { cwd })
  expect(JSON.parse(stdout)).toMatchObject({ error: { hint: expect.stringContaining(hint) } })
})
