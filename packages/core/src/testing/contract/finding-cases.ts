/** What a store reports of its own state: for people, and without changing anything. */
import assert from 'node:assert/strict'
import { turnStarted } from '../entries.ts'
import { type StoreCase, added, listed, readAll, summaryOf, taken } from './harness.ts'

export const findingCases: readonly StoreCase[] = [
  {
    name: 'findings say what is, which promise is at risk and what mends it, and change nothing',
    async run({ store, another }) {
      // A store that nobody has used has them too.
      await (await another()).findings()
      const lease = await taken(store, 's')
      const entries = await added(store, lease, 0, 3, turnStarted('a secret prompt'))
      await store.shared.write('k', 0, 'shared')
      const before = await summaryOf(store, 's')

      for (const handle of [store, await another()]) {
        for (const finding of await handle.findings()) {
          const { severity, ...texts } = finding
          assert.ok(['danger', 'warning', 'info'].includes(severity))
          assert.deepEqual(Object.keys(texts).sort(), ['mend', 'risk', 'what'])
          for (const text of Object.values(texts)) assert.match(text, /^\S.*\S$/, 'one line of text')
          assert.ok(!JSON.stringify(finding).includes('secret'), 'content in a finding')
        }
      }

      assert.deepEqual(await readAll(store, 's'), entries)
      assert.deepEqual(await summaryOf(store, 's'), before)
      assert.deepEqual(await listed(store), ['s'])
      assert.equal((await store.shared.list('')).length, 1)
      await added(store, lease, 3)
    },
  },
]
