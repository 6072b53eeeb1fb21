/** The same for gateways and their clients: it finds nothing in lastgood, and everything in what is broken on purpose. */
import { expect, test } from 'vitest'
import { gatewayMutations } from './simulation/gateway/mutations.ts'
import { simulateGateway } from './simulation/gateway/simulate-gateway.ts'

test(
  'whatever fails, and whichever gateway dies, each client gets what is recorded, whole and paid once',
  { timeout: 120_000 },
  async () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const again = `pnpm simulate --gateway --seeds 1 --seed ${seed}`
      const { findings } = await simulateGateway(seed)
      expect({ again, findings }).toEqual({ again, findings: [] })
    }
  },
)

test('the same seed is the same simulation of a gateway, another seed is another', async () => {
  const [first, again, other] = [await simulateGateway(3), await simulateGateway(3), await simulateGateway(4)]
  expect(first.trace.length).toBeGreaterThan(50)
  expect(again.trace).toEqual(first.trace)
  expect(other.trace).not.toEqual(first.trace)
})

test.each(gatewayMutations)(
  'within twenty seeds it finds %s between gateway and client (%s)',
  { timeout: 120_000 },
  async (_what, promise, options) => {
    const found = new Set<string>()
    for (let seed = 1; seed <= 20 && !found.has(promise); seed += 1) {
      for (const finding of (await simulateGateway(seed, options)).findings) found.add(finding.slice(0, 2))
    }
    expect([...found]).toContain(promise)
  },
)
