/** The short edition of `pnpm crash`: real agents, really killed, on the stores that outlive them. */
import { expect, test } from 'vitest'
import { runCampaign } from './crash/campaign/campaign.ts'
import { storeNames } from './crash/campaign/place.ts'

test.concurrent.each(storeNames)(
  'agents killed 15 times lose nothing acknowledged, repeat nothing silently, and finish [%s] (P1, P2, P4, P5)',
  { timeout: 180_000 },
  async (store) => {
    const { kills, findings, killedWhile } = await runCampaign({
      store,
      kills: 15,
      seed: 1,
      serverKills: store === 'redis' ? 2 : 0,
    })
    expect(findings).toEqual([])
    expect(kills).toBe(15)
    expect(Object.keys(killedWhile).length).toBeGreaterThan(2)
  },
)
