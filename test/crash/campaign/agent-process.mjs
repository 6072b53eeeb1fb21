/**
 * An agent in a process of its own, to be killed at any instant. Argument: a JSON plan. What it knows to be durable, and
 * what it does, it says on stdout, one JSON a line; what its tools did is in the effects file.
 *
 * Exit codes: 0 all is done; 3 a person has to decide about a call; 4 the store does not answer, or says that
 * somebody else has the session: a supervisor tries again.
 */
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import Anthropic from '@anthropic-ai/sdk'
import { defineAgent, openSession, recoverable, tool } from '@lastgood/anthropic'
import { isLastgoodError } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { z } from 'zod'

const plan = JSON.parse(process.argv[2])
// Nobody listens any more: nothing may outlive the campaign.
process.stdin.on('end', () => process.exit(9)).resume()
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

async function openStore() {
  if (!plan.redis) return fileStore({ dir: plan.dir })
  // Only where it is needed: a campaign starts hundreds of these.
  const [{ Redis }, { redisStore }] = await Promise.all([import('ioredis'), import('@lastgood/redis')])
  return redisStore(new Redis(plan.redis), { prefix: plan.prefix })
}

const store = await openStore()
const client = new Anthropic({ baseURL: plan.lab, apiKey: 'test', logLevel: 'off' })
const model = 'claude-opus-5-5'

const quick = { baseMs: 5, capMs: 20 }
const quickly = { ...quick, quickMs: 5 }
const rules = {
  'server-transient': quick,
  overloaded: quick,
  transport: quick,
  'bad-gateway': quick,
  'stream-cut': quickly,
  'stream-truncated': quickly,
}

let session
const isLoop = plan.flavour === 'loop'
const record = (line) => appendFileSync(plan.effects, `${JSON.stringify({ ...line, life: plan.life })}\n`)
const pause = () => sleep(Math.random() * plan.toolMs)

function begin({ toolUseId: call, idempotencyKey: key }, name, rule) {
  record({ at: 'begin', call, key, name, rule, seq: session.seq })
  say({ began: call })
}

/** The effect is one line in the file, between a while before it and a while after it. */
async function act({ item }, context, name, rule) {
  begin(context, name, rule)
  await pause()
  record({ at: 'effect', call: context.toolUseId, item })
  await pause()
  record({ at: 'end', call: context.toolUseId })
  return `did ${item}`
}

async function look(_input, context) {
  begin(context, 'look', 'rerun')
  await pause()
  const lines = existsSync(plan.effects) ? readFileSync(plan.effects, 'utf8').trim().split('\n') : []
  const items = lines.flatMap((line) => JSON.parse(line).item ?? [])
  record({ at: 'end', call: context.toolUseId })
  return `there: ${items.join(', ')}`
}

const rules_ = { write: 'report', deploy: isLoop ? 'report' : 'ask', look: 'rerun' }
const runs = {
  write: (input, context) => act(input, context, 'write', rules_.write),
  deploy: (input, context) => act(input, context, 'deploy', rules_.deploy),
  look,
}
const schemas = { write: z.object({ item: z.number() }), deploy: z.object({ item: z.number() }), look: z.object({}) }
const tools = Object.keys(runs).map((name) =>
  tool({ name, description: `${name}s.`, input: schemas[name], inDoubt: rules_[name], run: runs[name] }),
)

/** Level 2: lastgood's loop. */
async function runAgent() {
  const agent = defineAgent({ name: 'worker', client, model, system: 'You work.', tools, maxTokens: 1024 })
  const onInDoubt = async ({ toolUseId }) => plan.answers[toolUseId] ?? 'suspend'
  for (const [i, task] of plan.tasks.entries()) {
    const { turn, text } = await session.run(agent, task, { turn: i + 1, onInDoubt })
    say({ reply: { turn, text } })
  }
}

/** Level 1: the lines that everybody writes, with the one line added. */
async function runLoop() {
  const own = recoverable(client, session, { intentOf: (name) => (name === 'look' ? undefined : 'report') })
  for (const [i, task] of plan.tasks.entries()) {
    if (session.lastGoodTurn > i) continue
    const messages = session.messages()
    if (!session.hasOpenTurn) messages.push({ role: 'user', content: task })
    say({ reply: { turn: i + 1, text: await untilAnswered(own, messages) } })
  }
}

async function untilAnswered(own, messages) {
  for (;;) {
    const definitions = tools.map(({ definition }) => definition)
    const request = { model, max_tokens: 1024, system: 'You work.', tools: definitions, messages }
    const answer = await own.messages.stream(request).finalMessage()
    messages.push({ role: 'assistant', content: answer.content })
    const calls = answer.content.filter((block) => block.type === 'tool_use')
    if (calls.length === 0) return answer.content.flatMap((block) => block.text ?? []).join('')
    const results = calls.map(async ({ id, name, input }) => ({
      type: 'tool_result',
      tool_use_id: id,
      content: await runs[name](input, { toolUseId: id, idempotencyKey: `${session.id}:${id}` }),
    }))
    messages.push({ role: 'user', content: await Promise.all(results) })
  }
}

async function work() {
  session = await openSession(plan.session, { store, policy: { rules } })
  say({ opened: session.seq })
  session.subscribe((event) => {
    if (event.type !== 'entry') return
    const { seq, type } = event.entry
    say({ entry: { seq, type, digest: createHash('sha256').update(JSON.stringify(event.entry)).digest('base64') } })
  })
  await (isLoop ? runLoop() : runAgent())
  await session.close()
  say({ finished: true })
  return 0
}

const code = await work().catch((error) => {
  const isOne = (code) => [error, error?.cause].some((one) => isLastgoodError(one, code))
  if (isOne('needs-input')) return (say({ asks: error.details.toolUseId }), 3)
  if (isOne('session-busy') || isOne('store-unavailable')) return 4
  process.stderr.write(`${error?.stack ?? error}\n`)
  return 1
})
process.exit(code)
