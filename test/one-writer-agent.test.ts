/** An agent whose worker is cut off in the middle of a tool call: another one finishes its turn, once (P1, P2, P3). */
import { reply, story, text, toolUse } from '@lastgood/outage-lab'
import { expect, test } from 'vitest'
import { countingAgent, Effects, task } from './support/counting-story.ts'
import { code, entriesOf, startTestLab } from './support/harness.ts'
import { network, opened } from './support/partition.ts'

test('a worker in a partition runs its call to the end, and its result goes nowhere: the next one was told in doubt', async () => {
  const { client, lab } = await startTestLab({
    model: story([reply([toolUse('count', { n: 1 })]), reply([toolUse('count', { n: 2 })]), reply(text('done'))]),
  })
  const net = await network()
  const far = await opened(net.far, 'far')
  const effects = new Effects()
  let finish = () => {}
  const hanging = new Promise<void>((resolve) => (finish = resolve))
  const slow = {
    async count(input: unknown) {
      const counted = effects.count(input)
      if (effects.runs.length < 2) return counted
      net.proxy.blackHole('questions', 'answers')
      await hanging
      return counted
    },
  }
  const lost = far.run(countingAgent(slow, client), task)
  lost.catch(() => {})
  await expect.poll(() => effects.runs, { timeout: 10_000 }).toEqual([1, 2])

  const near = await opened(net.near, 'near')
  const answer = await near.run(countingAgent(effects, client))
  expect(answer).toMatchObject({ turn: 1, text: 'done' })

  // Back from the partition, with a result in its hands.
  finish()
  net.proxy.heal()
  await expect(lost).rejects.toEqual(code('lease-lost'))
  expect(far.signal.reason).toEqual(code('lease-lost'))

  expect(effects.runs).toEqual([1, 2])
  const entries = await entriesOf(net.near)
  const outcomes = entries.flatMap((entry) => (entry.type === 'tool-finished' ? [entry.outcome] : []))
  expect(outcomes).toEqual(['ran', 'in-doubt'])
  const takenOver = entries.findIndex(({ fence }) => fence !== entries[0]!.fence)
  expect(new Set(entries.slice(takenOver).map(({ fence }) => fence)).size).toBe(1)
  expect((await net.near.summary('ses'))?.head).toMatchObject({ turn: 1, lastGoodTurn: 1, status: 'idle' })
  expect(lab.requests).toHaveLength(3)
})
