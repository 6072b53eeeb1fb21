/**
 * An agent in a process of its own, to be killed at any instant. Argument: a JSON plan. It reports on stdout, one JSON
 * a line, what it does and what it knows to be durable; what its tools did is in the effects file.
 *
 * Exit codes: 0 all is done; 3 a person has to decide about a call; 4 the store does not answer, or says that another
 * process has the session: a supervisor tries again.
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
// The campaign is gone, and nothing may outlive it.
process.stdin.on('end', () => process.exit(9)).resume()
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

async function openStore() {
  if (!plan.redis) return fileStore({ dir: plan.dir })
  // Imported only if needed: a campaign starts hundreds of these processes.
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
const record = (line) => appendFileSync(plan.effects, `${JSON.stringify({ ...line, life: plan.life })}\n`)
const effectLines = () =>
  existsSync(plan.effects)
    ? readFileSync(plan.effects, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    : []
const pause = () => sleep(Math.random() * plan.toolMs)

function begin({ toolUseId: call, idempotencyKey: key }, name, rule) {
  record({ at: 'begin', call, key, name, rule, seq: session.seq })
  say({ began: call })
}

/** The effect is one line in the file, with a pause before and after it. */
async function act({ item }, context, name, rule) {
  begin(context, name, rule)
  await pause()
  record({ at: 'effect', call: context.toolUseId, item })
  await pause()
  record({ at: 'end', call: context.toolUseId })
  return itemOf({ item })
}

async function look(_input, context) {
  begin(context, 'look', 'rerun')
  await pause()
  const items = effectLines().flatMap((line) => line.item ?? [])
  record({ at: 'end', call: context.toolUseId })
  return `there: ${items.join(', ')}`
}

const inDoubt = { write: 'report', deploy: plan.flavour === 'agent' ? 'ask' : 'report', look: 'rerun' }
const runs = {
  write: (input, context) => act(input, context, 'write', inDoubt.write),
  deploy: (input, context) => act(input, context, 'deploy', inDoubt.deploy),
  look,
}
const itemOf = ({ item }) => `did ${item}`

/** What became of a call whose process died: whether its effect is in the file. */
async function verify(input, { toolUseId: call }) {
  const isDone = effectLines().some((line) => line.at === 'effect' && line.call === call)
  record({ at: 'verify', call, verdict: isDone ? 'done' : 'not-done' })
  return isDone ? { kind: 'done', result: itemOf(input) } : { kind: 'not-done' }
}

const schemas = { write: z.object({ item: z.number() }), deploy: z.object({ item: z.number() }), look: z.object({}) }
const tools = Object.keys(runs).map((name) =>
  tool({ name, description: `${name}s.`, input: schemas[name], inDoubt: inDoubt[name], run: runs[name] }),
)

const intentOf = (name) => (name === 'look' ? undefined : 'report')

/** Level 2: lastgood's loop. */
async function runAgent() {
  const agent = defineAgent({ name: 'worker', client, model, system: 'You work.', tools, maxTokens: 1024 })
  const onInDoubt = async ({ toolUseId }) => plan.answers[toolUseId] ?? 'suspend'
  for (const [i, task] of plan.tasks.entries()) {
    const { turn, text } = await session.run(agent, task, { turn: i + 1, onInDoubt })
    say({ reply: { turn, text } })
  }
}

/** Level 1: the usual loop, with the one line added. */
async function runLoop() {
  const own = recoverable(client, session, { intentOf })
  for (const [i, task] of plan.tasks.entries()) {
    if (session.lastGoodTurn > i) continue
    const messages = session.messages()
    if (!session.hasOpenTurn) messages.push({ role: 'user', content: task })
    say({ reply: { turn: i + 1, text: await untilAnswered(own, messages) } })
  }
}

async function untilAnswered(own, messages) {
  for (;;) {
    const answer = await ask(own, messages)
    messages.push({ role: 'assistant', content: answer.content })
    const calls = answer.content.filter((block) => block.type === 'tool_use')
    if (calls.length === 0) return textOf(answer)
    const results = calls.map(async ({ id, name, input }) => ({
      type: 'tool_result',
      tool_use_id: id,
      content: await runs[name](input, { toolUseId: id, idempotencyKey: `${session.id}:${id}` }),
    }))
    messages.push({ role: 'user', content: await Promise.all(results) })
  }
}

/** Level 1, with effects as steps: what was done is recorded at once, and each step can tell what became of it. */
async function runSteps() {
  const own = recoverable(client, session, { intentOf })
  for (const [i, task] of plan.tasks.entries()) {
    while (session.lastGoodTurn <= i) {
      await Promise.all(session.transcript.unanswered.map(runStep))
      const messages = session.messages()
      if (!session.hasOpenTurn) messages.push({ role: 'user', content: task })
      const answer = await ask(own, messages)
      if (session.lastGoodTurn > i) say({ reply: { turn: i + 1, text: textOf(answer) } })
    }
  }
}

function runStep({ toolUseId, name, input }) {
  const options = { toolUseId, inDoubt: inDoubt[name], ...(name !== 'look' && { verify }) }
  return session.step(name, input, (context) => runs[name](input, context), options)
}

function ask(own, messages) {
  const definitions = tools.map(({ definition }) => definition)
  return own.messages
    .stream({ model, max_tokens: 1024, system: 'You work.', tools: definitions, messages })
    .finalMessage()
}

const textOf = ({ content }) => content.flatMap((block) => block.text ?? []).join('')

const flavours = { agent: runAgent, loop: runLoop, steps: runSteps }

async function work() {
  session = await openSession(plan.session, { store, policy: { rules } })
  say({ opened: session.seq })
  session.subscribe((event) => {
    if (event.type !== 'entry') return
    const { seq, type } = event.entry
    say({ entry: { seq, type, digest: createHash('sha256').update(JSON.stringify(event.entry)).digest('base64') } })
  })
  await flavours[plan.flavour]()
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
