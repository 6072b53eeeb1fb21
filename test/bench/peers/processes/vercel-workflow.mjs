/** Vercel Workflow in its local world, a folder of files: a session is a workflow, and each step one of its steps. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setWorld } from '@workflow/core/runtime'
import { start } from '@workflow/core/runtime/start'
import { hydrateStepReturnValue } from '@workflow/core/serialization'
import { createLocalWorld } from '@workflow/world-local'
import { job, work } from './work.mjs'

const { dir } = job
// Nobody listens at that address: its handlers are in this process.
const world = createLocalWorld({ dataDir: join(dir, 'world'), baseUrl: 'http://127.0.0.1:1' })
setWorld(world)

const require = createRequire(import.meta.url)
world.registerHandler('__wkf_workflow_', require('./built/flow.cjs').POST)
world.registerHandler('__wkf_step_', require('./built/step.cjs').POST)

const workflowId = 'workflow//./vercel-workflow-session//session'
const sessions = new Map()
/** For `vercel-workflow-session.mjs`. */
globalThis.ask = async (id, step) => {
  const session = sessions.get(id)
  const content = session?.next(step)
  if (content) return content.messages
  session?.end()
  return null
}

const fileOf = (id) => join(dir, `${id}.run`)
const runOf = (id) => readFileSync(fileOf(id), 'utf8')

await work(() => {
  let started
  return {
    async run(id, next) {
      const ended = new Promise((end) => sessions.set(id, { next, end }))
      // It continues unfinished workflows by itself.
      await (started ??= world.start())
      if (!existsSync(fileOf(id))) {
        const { runId } = await start({ workflowId }, [id])
        writeFileSync(fileOf(id), runId)
      }
      await ended
    },
    async settle(id) {
      while ((await world.runs.get(runOf(id))).status !== 'completed') await new Promise((next) => setTimeout(next, 20))
    },
    async read(id) {
      const messages = []
      for (let cursor; ;) {
        const pagination = { limit: 1_000, sortOrder: 'asc', ...(cursor && { cursor }) }
        const page = await world.steps.list({ runId: runOf(id), resolveData: 'all', pagination })
        for (const { output } of page.data) messages.push(...((await hydrateStepReturnValue(output, runOf(id))) ?? []))
        if (!page.hasMore) return messages
        cursor = page.cursor
      }
    },
  }
})
