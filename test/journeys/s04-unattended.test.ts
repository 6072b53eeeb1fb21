/** S4: a job without a terminal meets an outage that is longer than it may wait. */
import { reply, story, text, toolUse, type Outage } from '@lastgood/outage-lab'
import { expect, test } from 'vitest'
import { journey, keepScreen, lastLine } from './stage.ts'

const model = story([
  reply(text('The tests are green.')),
  reply([text('Looking.'), toolUse('shell', { command: 'ls docs' })]),
  { expect: { toolResult: 'ok: ls docs' }, reply: reply(text('The docs are written.')) },
])
/** From the second request of turn 2 on, for an hour. */
const downForAnHour: Outage = {
  when: { window: [0, 3_600_000], contains: 'ok: ls docs' },
  fault: { kind: 'status', status: 529 },
}

test('S4: a job whose outage outlasts --max-wait ends with 75 and says in JSON what is saved, when, and what to run; the same command finishes later', async () => {
  // Two requests within the second, so four of both tries: one more opens the breaker, and the third waits for its probe.
  const at = await journey({ model, outages: [downForAnHour] }, { WAIT_MS: '600' })
  expect(await at.run('main', ['fix-auth', 'Make the tests green'])).toMatchObject({ code: 0 })

  const job = ['resume', 'fix-auth', 'Write the docs', '--max-wait', '1s']
  const before = Date.now()
  const first = await at.run('lastgood', [...job, '--json'])
  keepScreen('s04-unattended', `$ lastgood ${job.join(' ')} --json\n${first.stderr}${first.stdout}`)
  expect(first.code).toBe(75)
  const document = JSON.parse(first.stdout) as { retryAt: string }
  expect(document).toMatchObject({
    schema: 'lastgood.resume/v1',
    state: 'suspended',
    sessionId: 'fix-auth',
    retryAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    turn: 2,
    lastGoodTurn: 1,
    command: 'lastgood resume fix-auth',
    exitCode: 75,
  })
  expect(Date.parse(document.retryAt)).toBeGreaterThan(before)
  expect(lastLine(first.stderr)).toBe('lastgood resume fix-auth')
  expect(await at.head()).toMatchObject({ status: 'suspended', turn: 2, lastGoodTurn: 1 })
  const asked = at.lab.requests.length

  // Still down: the same answer again, and no turn is begun twice.
  expect(await at.json('lastgood', job)).toMatchObject({ code: 75, state: 'suspended', turn: 2, lastGoodTurn: 1 })
  expect(at.lab.requests.length).toBeGreaterThan(asked)

  at.lab.setOutages([])
  expect(await at.json('lastgood', job)).toMatchObject({
    code: 0,
    state: 'done',
    turn: 2,
    lastGoodTurn: 2,
    text: 'The docs are written.',
  })
  expect(at.ran).toEqual(['shell ls docs'])
  expect(await at.entriesOf('turn-started')).toHaveLength(2)
  expect(at.lab.requests.filter(({ violation }) => violation)).toEqual([])
})
