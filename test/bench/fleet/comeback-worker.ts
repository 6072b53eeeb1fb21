/**
 * A worker whose sessions take step after step, for ever: node comeback-worker.js <redis> <api> <sessions at once>. It
 * runs until it is killed.
 */
import Anthropic from '@anthropic-ai/sdk'
import { defineAgent, tool } from '@lastgood/anthropic'
import { runFleet } from '@lastgood/fleet'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'
import { z } from 'zod'
import { pause } from './pause.ts'

const [redis = '', api = '', concurrency = ''] = process.argv.slice(2)
const connection = new Redis(redis)

const wait = tool({
  name: 'wait',
  description: 'Takes some time.',
  input: z.object({ n: z.number() }),
  async run() {
    await pause()
    return 'done'
  },
})

const stepper = defineAgent({
  name: 'stepper',
  client: new Anthropic({ baseURL: api, apiKey: 'test', logLevel: 'off' }),
  model: 'claude-opus-5-5',
  system: 'You work step by step.',
  tools: [wait],
  maxTokens: 1024,
})

runFleet({
  store: redisStore(connection),
  connection,
  agents: { stepper },
  concurrency: Number(concurrency),
})
