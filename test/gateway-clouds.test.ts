/** The gateway and the clouds that have the Messages API in forms of their own. */
import { AnthropicBedrock } from '@anthropic-ai/bedrock-sdk'
import { ladder } from '@lastgood/anthropic'
import { reply, story, text } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { modelAt, startClouds } from './support/clouds.ts'
import { countTool } from './support/counting-story.ts'
import { post, setUp } from './support/gateway-stage.ts'
import { startTestLab } from './support/harness.ts'

const answers = story([reply(text('hello'))])

const messages = [{ role: 'user', content: 'Hi' }]
const asked = { model: 'claude-opus-5-5', max_tokens: 99, tools: [countTool], messages }
const down = [
  { when: { requests: [1, Infinity] as [number, number] }, fault: { kind: 'status', status: 529 } as const },
]

describe('while the API is down, a turn goes to', () => {
  test('the same model at Bedrock, by its own client', async () => {
    const { url, reached } = await startClouds({ model: answers })
    const client = new AnthropicBedrock({ baseURL: url, awsRegion: 'us-east-1', apiKey: 'test', logLevel: 'off' })
    const fallback = ladder({ model: modelAt.bedrock, client })
    const { gateway } = await setUp({ lab: { outages: down }, gateway: { fallback } })
    expect(await (await post(gateway, asked)).json()).toMatchObject({ content: [{ text: 'hello' }] })
    expect(reached.at(-1)).toContain(encodeURIComponent(modelAt.bedrock))
  })

  test('the same model at another address, by a client for it', async () => {
    const { client, lab } = await startTestLab({ model: answers })
    const fallback = ladder({ model: asked.model, client })
    const { gateway } = await setUp({ lab: { outages: down }, gateway: { fallback } })
    expect(await (await post(gateway, asked)).json()).toMatchObject({ content: [{ text: 'hello' }] })
    expect(lab.requests.at(-1)).toMatchObject({ method: 'POST', body: { max_tokens: 99 } })
  })
})
