import { systemClock } from '@lastgood/core'
import { reply, startLab, story, text, type Lab } from '@lastgood/outage-lab'
import { expect, onTestFinished, test } from 'vitest'
import { demoModels } from './outages.ts'
import { laggingPage, outageOf, pageReader, type LabCall } from './status-page.ts'

const [first, other] = demoModels
const call = (at: number, model: string, status: number): LabCall => ({
  at,
  model,
  status,
  kind: status === 200 ? 'ok' : 'fault',
})

test.each([
  ['none without a refusal', [call(1, first, 200)], undefined],
  ['none while it lasts', [call(1, first, 200), call(2, first, 529), call(3, other, 200)], undefined],
  [
    'one from the first refusal to the first answer after it',
    [call(1, first, 200), call(2, first, 529), call(3, first, 529), call(4, other, 200), call(5, first, 200)],
    { from: 2, to: 5 },
  ],
])('the outage of a model is %s', (_what, calls, outage) => {
  expect(outageOf(first, calls)).toEqual(outage)
})

test('the page says that all is well while the model is down, and tells of the outage when it answers again', async () => {
  const open: { lab?: Lab } = {}
  const lab = (open.lab = await startLab({
    model: story([reply(text('Hello'))]),
    outages: [{ when: { request: 1 }, fault: { kind: 'status', status: 529 } }],
    statusPage: laggingPage(() => open.lab),
  }))
  onTestFinished(() => lab.close())
  const page = pageReader(lab, systemClock)
  const ask = () =>
    fetch(`${lab.url}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': 'any', 'anthropic-version': '2023-06-01' },
      body: JSON.stringify({ model: first, max_tokens: 10, messages: [{ role: 'user', content: 'Hi' }] }),
    })
  expect((await ask()).status).toBe(529)
  await page.poll()
  expect((await ask()).status).toBe(200)
  await page.poll()
  expect(page.readings.map(({ says, incident }) => incident ?? says)).toEqual([
    'operational',
    "monitoring 'Elevated errors on Claude Opus 5.5'",
  ])
})
