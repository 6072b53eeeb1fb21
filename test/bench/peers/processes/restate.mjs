/**
 * Restate: a session is a workflow, and each step a `ctx.run`. Its journal is read by running its handler again, so a
 * session waits at its end, and a reader wakes it up.
 */
import { createServer } from 'node:http2'
import * as restate from '@restatedev/restate-sdk'
import { job, work } from './work.mjs'

const nexts = new Map()
const readers = new Map()

const session = restate.workflow({
  name: 'session',
  handlers: {
    async run(ctx) {
      const messages = []
      for (let step = 0; ; step += 1) {
        const two = await ctx.run('step', async () => nexts.get(ctx.key)?.(step)?.messages ?? null)
        if (two === null) break
        messages.push(...two)
      }
      readers.get(ctx.key)?.(messages)
      await ctx.promise('woken')
    },
    wake: (ctx) => ctx.promise('woken').resolve(true),
  },
  options: { inactivityTimeout: 100, enableLazyState: true },
})

const { ingress, admin, port } = job

await work(async () => {
  const endpoint = restate.endpoint().bind(session)
  const server = createServer(endpoint.http2Handler())
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
  const ask = async (url, body, headers = {}) => {
    const given = { 'content-type': 'application/json', accept: 'application/json', ...headers }
    const answer = await fetch(url, { method: 'POST', headers: given, body: JSON.stringify(body) })
    if (!answer.ok && answer.status !== 409) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`)
    return answer.json()
  }
  const register = () => ask(`${admin}/deployments`, { uri: `http://127.0.0.1:${port}`, force: true })
  let registered
  const readWhen = (id) => new Promise((resolve) => readers.set(id, resolve))
  return {
    async run(id, next) {
      nexts.set(id, next)
      await (registered ??= register())
      const done = readWhen(id)
      await ask(`${ingress}/session/${id}/run/send`, undefined)
      await done
    },
    /** Waits until it is suspended: one cut off by the end of its process is tried again at growing intervals. */
    async settle(id) {
      const query = `SELECT status FROM sys_invocation WHERE target_service_key = '${id}' AND target_handler_name = 'run'`
      for (;;) {
        const { rows } = await ask(`${admin}/query`, { query })
        if (rows[0]?.status === 'suspended') return
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
    async read(id) {
      const messages = readWhen(id)
      await ask(`${ingress}/session/${id}/wake/send`, undefined)
      return messages
    },
  }
})
