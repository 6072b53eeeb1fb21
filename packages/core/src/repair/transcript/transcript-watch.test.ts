import { expect, test } from 'vitest'
import type { Message } from '../../journal/journal.ts'
import { cardOf } from '../../ladder/built-in-cards.ts'
import { assistant, call, result, text, user } from './cases.fixture.ts'
import type { Outgoing } from '../outgoing.ts'
import { png } from '../request/images.fixture.ts'
import { repairOutgoing } from './repair-transcript.ts'
import { TranscriptWatch } from './transcript-watch.ts'

const context = { card: cardOf('claude-opus-5-5') }
const outgoing = (messages: readonly Message[]): Outgoing => ({
  params: { model: 'claude-opus-5-5' },
  messages,
  betas: [],
})

/** A conversation of so many steps, and how often the content of each of its messages was looked at. */
function counted(steps: number) {
  const looks: number[] = []
  const plain = [
    user('go'),
    ...Array.from({ length: steps }, (_, n) => [assistant(call(`c${n}`)), user([result(`c${n}`)])]).flat(),
  ]
  const messages = plain.map(({ role, content }, at): Message => {
    looks[at] = 0
    return {
      role,
      get content() {
        looks[at] = (looks[at] ?? 0) + 1
        return content
      },
    }
  })
  return { messages, looks }
}

test('P7: after the first look only what is new is looked at, and a few messages before it', () => {
  for (const steps of [20, 200]) {
    const { messages, looks } = counted(steps)
    const watch = new TranscriptWatch()
    const all = messages.length
    watch.repair(outgoing(messages.slice(0, all - 2)), context)
    looks.fill(0)
    expect(watch.repair(outgoing(messages), context).repairs).toEqual([])
    expect(looks.slice(0, all - 2 - 8)).toEqual(Array.from({ length: all - 10 }, () => 0))
    expect(looks.at(-1)).toBeGreaterThan(0)
  }
})

test('the same list that grew is seen to have grown', () => {
  const watch = new TranscriptWatch()
  const record = [user('go')]
  watch.repair(outgoing(record), context)
  record.push(assistant(call('a')), user([text('no result')]))
  expect(watch.repair(outgoing(record), context).repairs).not.toEqual([])
})

test('a tool that was found long ago is looked for again where the servers of tools are gone', () => {
  const watch = new TranscriptWatch()
  const found = { type: 'tool_reference', tool_name: 'lookup' }
  const messages = [
    user('go'),
    assistant(call('a')),
    user([{ ...result('a'), content: [found] }]),
    ...Array.from({ length: 20 }, () => [assistant(text('on')), user('on')]).flat(),
  ]
  const asked = (more: object): Outgoing => ({
    ...outgoing(messages),
    params: { model: 'm', tools: [{ name: 'read' }], ...more },
  })
  expect(watch.repair(asked({ mcp_servers: [{ name: 's' }] }), context).repairs).toEqual([])
  expect(watch.repair(asked({}), context).repairs.map(({ rule }) => rule)).toEqual(['references'])
})

test('an id of long ago is not taken for a new one', () => {
  const watch = new TranscriptWatch()
  const { messages } = counted(50)
  watch.repair(outgoing(messages), context)
  const repeated = [...messages, assistant(call('c3')), user([result('c3')])]
  expect(watch.repair(outgoing(repeated), context).repairs.map(({ rule }) => rule)).toContain('unique-calls')
})

test('one image more can make those of long ago too large', () => {
  const talk = Array.from({ length: 20 }, () => [assistant(text('on')), user('on')]).flat()
  for (const images of [19, 20]) {
    const watch = new TranscriptWatch()
    const before = [user(Array.from({ length: images }, () => png(3_000, 100))), ...talk]
    expect(watch.repair(outgoing(before), context).repairs).toEqual([])
    const grown = outgoing([...before, assistant(text('on')), user([png(10, 10)])])
    const repaired = watch.repair(grown, context)
    expect(repaired).toEqual(repairOutgoing(grown, context))
    expect(repaired.repairs.length > 0).toBe(images === 20)
  }
})

test('what is not sound is looked at as a whole again, and so is what became shorter or another', () => {
  const watch = new TranscriptWatch()
  const { messages } = counted(20)
  const same = (list: readonly Message[]) =>
    expect(watch.repair(outgoing(list), context)).toEqual(repairOutgoing(outgoing(list), context))
  same([])
  same([assistant(text('ok')), user('go')])
  same([assistant(text('ok')), user('go'), assistant(text('so')), user('on')])
  same(messages)
  same(messages.slice(0, 6))
  same([...messages.slice(0, 6).with(1, assistant(call('other'))), ...messages.slice(6)])
  same([...messages, assistant(call('new'), call('c3')), user([result('new'), result('c3')])])
})
