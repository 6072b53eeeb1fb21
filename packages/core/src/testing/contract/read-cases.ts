/** Reading back: everything, in order, exactly as it was written (P1, P4). */
import assert from 'node:assert/strict'
import { entriesAfter, entry, head, turnStarted } from '../entries.ts'
import { type StoreCase, added, readAll, taken } from './harness.ts'

/** Built from its code point: in a source file it would be invisible. */
const lineSeparator = String.fromCharCode(0x2028)

/** Texts that break careless framing, escaping or length counting. */
const awkwardTexts = [
  '👩‍👩‍👧 emoji, ünïcode, 漢字, עברית',
  `line separators \n \r\n ${lineSeparator} and \u0000 \u001b controls`,
  'a lone high \ud83d and a lone low \ude00 surrogate',
  '"quotes", back\\slashes, %s %d {} [] and \t tabs',
  '',
]

export const readCases: readonly StoreCase[] = [
  {
    name: 'an unknown session has no summary and reads empty',
    async run({ store }) {
      assert.equal(await store.summary('nobody'), undefined)
      assert.deepEqual(await readAll(store, 'nobody'), [])
      assert.deepEqual(await readAll(store, 'nobody', 7), [])
    },
  },
  {
    name: 'read gives the entries after a sequence, from any place inside an append',
    async run({ store }) {
      const lease = await taken(store, 's')
      const entries = [
        ...(await added(store, lease, 0, 3)),
        ...(await added(store, lease, 3, 4)),
        ...(await added(store, lease, 7)),
      ]
      for (let afterSeq = 0; afterSeq <= 9; afterSeq++) {
        assert.deepEqual(await readAll(store, 's', afterSeq), entries.slice(afterSeq), `after ${afterSeq}`)
      }
    },
  },
  {
    name: 'a reader may stop early',
    async run({ store }) {
      const lease = await taken(store, 's')
      await added(store, lease, 0, 20)
      for await (const one of store.read('s')) {
        if (one.seq === 3) break
      }
      await added(store, lease, 20)
    },
  },
  {
    name: 'unknown blocks and fields come back as they went in, keys in their order (P4)',
    async run({ store }) {
      const lease = await taken(store, 's')
      const content = [
        { zeta: 1, type: 'from_the_future', alpha: { nested: [1, null, true, 0.1, -1e21, { deep: '' }] } },
        { text: 'type last', citations: [], type: 'text' },
        { type: 'thinking', signature: 'EqQBCkYIBRgC==', thinking: '' },
      ]
      const message = {
        usage: { output_tokens: 3 },
        id: 'msg_1',
        role: 'assistant' as const,
        model: 'm',
        content,
        stop_reason: null,
        extra: {},
      }
      const envelope = { body: { zz: 1, model: 'm', aa: { b: 1, a: 2 } }, betas: ['b', 'a'] }
      const entries = [
        entry(1, lease.fence, { type: 'envelope-changed', envelope }),
        entry(2, lease.fence, { type: 'response-received', message, requestId: 'req_1' }),
      ]
      const written = JSON.stringify([envelope, message])
      await store.append(lease, 0, entries, head('s', 2))
      const back = await readAll(store, 's')
      assert.deepEqual(back, entries)
      const [first, second] = back
      assert.ok(first?.type === 'envelope-changed' && second?.type === 'response-received')
      assert.equal(JSON.stringify([first.envelope, second.message]), written)
    },
  },
  {
    name: 'any text survives: emoji, line separators, control characters, lone surrogates (P4)',
    async run({ store, another }) {
      const lease = await taken(store, 's')
      const entries = awkwardTexts.map((text, i) => entry(i + 1, lease.fence, turnStarted(text)))
      await store.append(lease, 0, entries, head('s', entries.length, { reason: awkwardTexts.join(' ') }))
      assert.deepEqual(await readAll(await another(), 's'), entries)
      assert.equal((await store.summary('s'))?.head.reason, awkwardTexts.join(' '))
    },
  },
  {
    name: 'entries of 1 MB come back whole, and the journal goes on after them',
    async run({ store, another }) {
      const lease = await taken(store, 's')
      const big = turnStarted('é😀x'.repeat(150_000))
      const entries = [
        ...(await added(store, lease, 0, 1, big)),
        ...(await added(store, lease, 1)),
        ...(await added(store, lease, 2, 2, big)),
      ]
      assert.deepEqual(await readAll(await another(), 's'), entries)
      assert.deepEqual((await store.summary('s'))?.head, head('s', 4))
    },
  },
  {
    name: 'hundreds of entries come back in order, over every chunk border',
    async run({ store, another }) {
      const lease = await taken(store, 's')
      const entries = await added(store, lease, 0, 300)
      for (let seq = 300; seq < 600; seq += 7) {
        const more = entriesAfter(seq, 7, lease.fence, turnStarted('x'.repeat(seq * 3)))
        await store.append(lease, seq, more, head('s', seq + 7))
        entries.push(...more)
      }
      const other = await another()
      assert.deepEqual(await readAll(other, 's'), entries)
      for (const afterSeq of [99, 100, 101, 299, 300, 301, entries.length - 1]) {
        assert.deepEqual(await readAll(other, 's', afterSeq), entries.slice(afterSeq))
      }
    },
  },
]
