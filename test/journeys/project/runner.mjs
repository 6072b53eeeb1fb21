/**
 * Level 1 with a ladder and the SDK's own loop, which sends only what is new, on a message thread.
 *
 *     node runner.mjs <session> <what to do>
 */
import { appendFileSync } from 'node:fs'
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod'
import { ladder, openSession, recoverable } from '@lastgood/anthropic'
import { z } from 'zod'
import { client as plain } from './agent.mjs'
import { policy } from './policy.mjs'

const rungs = process.env.LADDER.split(' ')
const [id, content] = process.argv.slice(2)
const session = await openSession(id, { policy })
const client = recoverable(plain(), session, { ladder: ladder(...rungs) })

const shell = betaZodTool({
  name: 'shell',
  description: 'Runs a command.',
  inputSchema: z.object({ command: z.string() }),
  run({ command }) {
    appendFileSync('ran.log', `shell ${command}\n`)
    return `ok: ${command}`
  },
})
const request = { model: rungs[0], max_tokens: 1024, tools: [shell], messages: [{ role: 'user', content }] }
const answer = await client.beta.messages.toolRunner(request)
console.log(answer.content.map(({ text }) => text).join(''))
await session.close()
