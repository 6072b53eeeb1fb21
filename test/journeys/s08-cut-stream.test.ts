/** S8: the API breaks off in the middle of an answer, after a call that was whole. */
import { reply, story, text, toolUse, type Outage } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { journey, keepScreen } from './stage.ts'

const model = story([
  reply([text('Both.'), toolUse('shell', { command: 'one' }), toolUse('shell', { command: 'two' })]),
  { expect: { toolResult: 'ok: one' }, reply: reply([toolUse('shell', { command: 'two' })]) },
  { expect: { toolResult: 'ok: two' }, reply: reply(text('The tests are green.')) },
])
/** Text and the first call are whole, the second has begun. */
const cut: Outage = {
  when: { request: 1 },
  fault: {
    kind: 'error-event',
    after: { inside: 'tool_use', index: 1 },
    type: 'overloaded_error',
    message: 'Overloaded',
  },
}

describe('S8: a 529 in a stream, after a call that was whole and inside of another', () => {
  test.each(['main', 'loop'] as const)(
    '%s: what is whole is kept and marked, each call runs once, and nothing of it is paid for again (P2)',
    async (program) => {
      const at = await journey({ model, outages: [cut] })
      const { code, stdout } = await at.run(program, ['fix-auth', 'Make the tests green'])
      expect({ code, stdout }).toEqual({ code: 0, stdout: 'The tests are green.\n' })
      expect(at.ran).toEqual(['shell one', 'shell two'])
      expect(at.lab.requests.map(({ outcome }) => outcome.kind)).toEqual(['fault', 'ok', 'ok'])
      expect(at.lab.requests.filter(({ violation }) => violation)).toEqual([])

      const answers = await at.entriesOf('response-received')
      expect(answers.map(({ salvaged }) => salvaged ?? false)).toEqual([true, false, false])
      expect(answers[0]!.message.content.map(({ type }) => type)).toEqual(['text', 'tool_use'])
      expect(await at.entriesOf('fault-observed')).toMatchObject([
        { fault: { kind: 'overloaded', complete: 'calls' }, decision: { kind: 'keep-and-continue' } },
      ])
      const { stdout: shown } = await at.run('lastgood', ['show', 'fix-auth'])
      keepScreen(`s08-cut-stream-${program}`, shown)
      expect(shown).toMatch(/kept what was complete|cut/)
    },
  )
})
