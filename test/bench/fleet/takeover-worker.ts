/**
 * A worker whose sessions send one request and wait for its answer: node takeover-worker.js <redis> <api> <sessions at once>.
 * It runs until it is killed.
 */
import { intercept, type Agent, type Block } from '@lastgood/core'
import { runFleet } from '@lastgood/fleet'
import { redisStore } from '@lastgood/redis'
import { Redis } from 'ioredis'

const [redis = '', api = '', concurrency = ''] = process.argv.slice(2)
const connection = new Redis(redis)

const asker: Agent<string | Block[], void, { signal?: AbortSignal } | undefined> = {
  name: 'asker',
  async run(session, _input, options) {
    const body = { model: 'claude-opus-5-5', max_tokens: 10, messages: session.messages() }
    const headers = new Headers({ 'content-type': 'application/json', 'x-session': session.id })
    const request = { url: `${api}/v1/messages`, method: 'POST', headers, body: JSON.stringify(body) }
    const send = intercept(session, { record: 'always' })
    const answer = await send({ ...request, signal: options?.signal ?? null }, (sent) =>
      fetch(sent.url, sent as RequestInit),
    )
    await answer.text()
  },
}

runFleet({
  store: redisStore(connection),
  connection,
  agents: { asker },
  concurrency: Number(concurrency),
})
