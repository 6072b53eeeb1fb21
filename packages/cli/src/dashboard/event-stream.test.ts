import { memoryStore } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { expect, onTestFinished, test, vi } from 'vitest'
import { answered, ended, seed, sent, started } from '../../test/context.ts'
import { stage } from '../../test/dashboard.ts'

async function board() {
  const store = memoryStore()
  await seed(store, 'fix-auth', [started(1), sent(), answered('Yes.'), ended(1)])
  const clock = new ManualClock()
  return { clock, ...stage(store, { clock }) }
}

test('a viewer that does not read is let go, with what waits for it, and does not count any more', async () => {
  const { ask, clock } = await board()
  const read = async (response: Response) => (await response.body!.getReader().read()).value
  const viewers = await Promise.all(Array.from({ length: 100 }, () => ask('/api/events')))
  expect((await ask('/api/events')).status).toBe(503)
  await clock.advance(110 * 15_000)
  for (const viewer of viewers) await expect(read(viewer)).rejects.toThrow('the viewer does not read')
  const next = await ask('/api/events')
  expect(Buffer.from((await read(next))!).toString()).toContain('event: overview')
})

test('those who come at once are counted, and one that leaves makes room', async () => {
  const { ask } = await board()
  const answers = await Promise.all(Array.from({ length: 150 }, () => ask('/api/events')))
  const [seen, refused] = [200, 503].map((status) => answers.filter((one) => one.status === status))
  expect([seen?.length, refused?.length]).toEqual([100, 50])
  expect(await refused?.[0]?.json()).toMatchObject({ error: { code: 'too-many-viewers' } })
  await seen?.[0]?.body?.cancel()
  expect((await ask('/api/events')).status).toBe(200)
  expect((await ask('/api/events')).status).toBe(503)
})

test('many viewers are nothing that Node warns of', async () => {
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  onTestFinished(() => warned.mockRestore())
  const { ask } = await board()
  for (let i = 0; i < 20; i++) expect((await ask('/api/events')).status).toBe(200)
  expect(warned).not.toHaveBeenCalled()
})
