import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readHistory, type HistoryEntry } from '../store/history.ts'
import { isLastgoodError } from '../errors.ts'
import type { EntryBody, Message } from '../journal/journal.ts'
import { memoryStore } from '../store/memory-store.ts'
import { openSession } from './open-session.ts'

const question: Message = { role: 'user', content: 'Go' }

async function entriesIn(store: ReturnType<typeof memoryStore>): Promise<HistoryEntry[]> {
  const entries: HistoryEntry[] = []
  for await (const entry of readHistory(store, 'ses')) entries.push(entry)
  return entries
}

test('whatever is handed in as a message is refused and loses nothing, or the session can be opened with it (P1)', async () => {
  const content = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.array(fc.record({ type: fc.oneof(fc.constant('text'), fc.jsonValue({ maxDepth: 1 })) })),
    fc.sparseArray(fc.constant({ type: 'text', text: 'x' }), { maxLength: 3 }),
    fc.constant(undefined),
  )
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.constant('user'), fc.jsonValue({ maxDepth: 1 })), content, async (role, said) => {
      const store = memoryStore()
      const session = await openSession('ses', { store })
      await session.startTurn([question])
      const before = await entriesIn(store)
      const continued = { type: 'turn-continued', messages: [{ role, content: said }] } as EntryBody
      const error: unknown = await session.record([continued]).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      if (error !== undefined) {
        expect(isLastgoodError(error, 'bad-option') && error.message).toMatch(/^turn-continued /)
        expect(await entriesIn(store)).toEqual(before)
        await session.record([{ type: 'turn-continued', messages: [question] }])
      }
      await session.close()
      const again = await openSession('ses', { store })
      expect(again.messages()).toHaveLength(2)
      await again.close()
    }),
  )
})

const step = { type: 'step-started', stepId: 's', name: 'deploy' }

test.each<[string, EntryBody, string]>([
  ['a step without a name', { type: 'step-started', stepId: 's', inDoubt: 'ask' } as never, 'name: invalid_type'],
  ['a rule that there is not', { ...step, inDoubt: 'retry' } as never, 'inDoubt: invalid_value'],
  ['a kind that there is not', { type: 'lunch-ended' } as never, 'type: invalid_union'],
  ['a field that is not known', { type: 'turn-ended', turn: 1, mood: 'good' } as never, 'entry: unrecognized_keys'],
])('%s is not written, and its field is named', async (_what, body, field) => {
  const session = await openSession('ses', { store: memoryStore() })
  await session.startTurn([question])
  await expect(session.record([body])).rejects.toMatchObject({
    code: 'bad-option',
    message: expect.stringContaining(field),
    hint: expect.stringContaining(field.split(':')[0]!.replace('entry', 'mood')),
  })
  await session.close()
})

test('what is nested too deeply is told in plain words', async () => {
  const session = await openSession('ses', { store: memoryStore() })
  let deep: unknown = 'x'
  for (let level = 0; level < 600; level += 1) deep = [deep]
  const content = [{ type: 'text', text: 'x', deep }]
  await expect(session.startTurn([{ role: 'user', content }])).rejects.toMatchObject({
    code: 'bad-option',
    message: 'turn-started has a value nested deeper than 500 levels',
  })
  await session.close()
})
