// @ts-check
/** The agent: `deploy` must not run twice; `deployments` only reads. What was deployed is in Redis, too. */
import { setTimeout } from 'node:timers/promises'
import Anthropic from '@anthropic-ai/sdk'
import { defineAgent, tool } from '@lastgood/anthropic'
import { z } from 'zod'

/** @param {{ api: string, redis: import('ioredis').Redis, deployments: string, host: string }} options */
export function deployer({ api, redis, deployments, host }) {
  const deploy = tool({
    name: 'deploy',
    description: 'Deploys a version.',
    input: z.object({ version: z.string() }),
    async run({ version }, { signal }) {
      await redis.rpush(deployments, `${version} by ${host}`)
      console.log('deployed')
      await setTimeout(10_000, undefined, { signal }) // until it is healthy
      return `deployed ${version}`
    },
  })
  const look = tool({
    name: 'deployments',
    description: 'Lists what was deployed.',
    input: z.object({}),
    inDoubt: 'rerun',
    run: async () => (await redis.lrange(deployments, 0, -1)).join('\n') || 'nothing',
  })
  return defineAgent({
    name: 'deployer',
    client: new Anthropic({ baseURL: api, apiKey: 'any' }),
    model: 'claude-opus-5-5',
    maxTokens: 1024,
    tools: [deploy, look],
  })
}
