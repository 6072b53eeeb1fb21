import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { foldJournal } from './fold.ts'
import { journals } from '../journal/journals.fixture.ts'
import { machineVersion } from '../machine/machine-state.ts'
import { saveSnapshot } from '../machine/machine-step.ts'
import type { Head } from '../store/head.ts'

describe('foldJournal', () => {
  test('a head is a cache of the fold: with it, without it, or with an older one, the state is the same', async () => {
    await fc.assert(
      fc.asyncProperty(journals, fc.nat(1_000), async ({ entries, heads }, at) => {
        const full = await foldJournal(entries, machineVersion)
        const cached = await foldJournal(entries, machineVersion, heads[at % heads.length])
        expect(saveSnapshot(cached.snapshot)).toEqual(saveSnapshot(full.snapshot))
        expect(saveSnapshot(full.snapshot)).toEqual(JSON.parse(JSON.stringify(saveSnapshot(full.snapshot))))
        expect(cached.transcript.messages).toEqual(full.transcript.messages)
      }),
    )
  })

  test('a head of another machine version is ignored, and said so', async () => {
    await fc.assert(
      fc.asyncProperty(journals, async ({ entries, heads }) => {
        const foreign = structuredClone(heads[0]) as Head
        foreign.machine = { version: 'another', value: 'noSuchState', context: { nonsense: true } }
        const folded = await foldJournal(entries, machineVersion, foreign)
        expect(folded.refolded).toBe(true)
        expect(saveSnapshot(folded.snapshot)).toEqual(
          heads.at(-1)?.machine && { value: heads.at(-1)?.machine.value, context: heads.at(-1)?.machine.context },
        )
      }),
    )
  })

  test('cut off after any entry, the conversation is one that the API takes: each call has one result, right after it (P2)', async () => {
    await fc.assert(
      fc.asyncProperty(journals, async ({ entries }) => {
        const { transcript } = await foldJournal(entries, machineVersion)
        const messages = transcript.conversation()
        messages.forEach((message, i) => {
          const blocks = Array.isArray(message.content) ? message.content : []
          const calls = blocks.flatMap((block) => (block.type === 'tool_use' ? [block['id']] : []))
          if (calls.length === 0) return
          const next = messages[i + 1]
          // A caller that steers instead of answering is refused by the API in its own words.
          if (next?.content === 'steer') return
          const results = Array.isArray(next?.content) ? next.content.map((block) => block['tool_use_id']) : []
          expect(results).toEqual(calls)
        })
      }),
    )
  })

  test('the conversation only grows at its end: what was sent once stays a prefix (P4)', async () => {
    await fc.assert(
      fc.asyncProperty(journals, async ({ entries }) => {
        let before = '['
        for (let length = 1; length <= entries.length; length += 1) {
          const { transcript } = await foldJournal(entries.slice(0, length), machineVersion)
          const now = JSON.stringify(transcript.messages).slice(0, -1)
          expect(now.startsWith(before)).toBe(true)
          before = now
        }
      }),
      { numRuns: 30 },
    )
  })
})
