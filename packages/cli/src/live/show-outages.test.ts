import { memoryStore, openSession } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { expect, it, onTestFinished } from 'vitest'
import { answered, Collector, ended, overloaded, sent, started } from '../../test/context.ts'
import { eventLines } from './event-lines.ts'
import { showOutages } from './show-outages.ts'

async function watched() {
  const clock = new ManualClock()
  const session = await openSession('s', { store: memoryStore({ clock }), clock })
  const output = new Collector()
  const hide = showOutages(session, { output, env: {} })
  onTestFinished(async () => {
    hide()
    await session.close()
  })
  return { clock, session, output, hide }
}

it('writes nothing while all is well: turns, words and tools are the program’s to show', async () => {
  const { session, output } = await watched()
  const call = { id: 't1', name: 'run', input: {} }
  await session.record([started(1), sent(), answered('Looking.', call)])
  await session.record([{ type: 'turn-continued', messages: [] }, sent(), answered('Done.'), ended(1)])
  expect(output.text).toBe('')
})

it('shows an outage with what is saved, and its end', async () => {
  const { clock, session, output } = await watched()
  await session.record([started(1), sent(), answered('Done.'), ended(1), started(2), sent()])
  await session.record([overloaded(5_000, clock.now())])
  await clock.advance(5_000)
  await session.record([sent(2), answered('Done again.'), ended(2)])
  expect(output.text).toBe(
    '◐ API 529 overloaded_error · attempt 1 · next in 5s · saved at turn 1\n' +
      '✔ recovered after 5s, at attempt 2 · saved at turn 1\n',
  )
})

it('says that the store had lost what it had acknowledged, in a program and as a line of JSON', async () => {
  const { session, output } = await watched()
  const lines = new Collector()
  session.subscribe(eventLines(lines, 's'))
  session.emit({ type: 'backfilled', entries: 3 })
  expect(output.text).toBe('the store had lost 3 entries, and has them again\n')
  expect(JSON.parse(lines.text)).toEqual({
    schema: 'lastgood.event/v1',
    sessionId: 's',
    event: 'backfilled',
    entries: 3,
  })
})

it('writes nothing more once it is hidden', async () => {
  const { clock, session, output, hide } = await watched()
  hide()
  await session.record([started(1), sent(), overloaded(5_000, clock.now())])
  expect(output.text).toBe('')
})
