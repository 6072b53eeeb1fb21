/** The simulation finds nothing in lastgood, and everything in what is broken on purpose. `pnpm simulate` plays more. */
import { expect, inject, onTestFinished, test } from 'vitest'
import { mutations } from './simulation/mutations.ts'
import { openPlace, type StoreName } from './simulation/place.ts'
import { simulate } from './simulation/simulate.ts'

/** How to see the trace of what broke. */
const command = (seed: number, store: StoreName) => `pnpm simulate --seeds 1 --seed ${seed} --store ${store}`

test.each([
  { store: 'memory', seeds: 40 },
  { store: 'file', seeds: 8 },
  { store: 'redis', seeds: 8 },
] as const)(
  'whatever fails, and whoever dies, every promise holds, and everything ends: $store',
  { timeout: 120_000 },
  async ({ store, seeds }) => {
    const place = await openPlace(store, inject('redisUrl'))
    onTestFinished(() => place.close())
    for (let seed = 1; seed <= seeds; seed += 1) {
      const { findings } = await simulate(seed, place.options)
      expect({ again: command(seed, store), findings }).toEqual({ again: command(seed, store), findings: [] })
    }
  },
)

test('the same seed is the same simulation, another seed is another', async () => {
  const [first, again, other] = [await simulate(7), await simulate(7), await simulate(8)]
  expect(first.trace.length).toBeGreaterThan(50)
  expect(again.trace).toEqual(first.trace)
  expect(other.trace).not.toEqual(first.trace)
})

test.each(mutations)('within twenty seeds it finds %s (%s)', { timeout: 120_000 }, async (_what, promise, options) => {
  const found = new Set<string>()
  for (let seed = 1; seed <= 20 && !found.has(promise); seed += 1) {
    for (const finding of (await simulate(seed, options)).findings) found.add(finding.slice(0, 2))
  }
  expect([...found]).toContain(promise)
})
