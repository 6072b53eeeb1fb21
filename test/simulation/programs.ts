/**
 * What the processes do, by the public API only: work with a loop of their own (its tools as steps, or run by hand) or
 * with an agent, and now and then what people do with a session: go back, fork, revert repairs, park, remove.
 */
import Anthropic from '@anthropic-ai/sdk'
import { defineAgent, ladder, recoverable, tool } from '@lastgood/anthropic'
import {
  forkSession,
  isJournalError,
  isLastgoodError,
  openSession,
  removeSession,
  type Block,
  type Session,
  type Store,
  type ToolContext,
} from '@lastgood/core'
import { owner } from '@lastgood/core/testing'
import type { LocalLab } from '@lastgood/outage-lab'
import { z } from 'zod'
import type { Process } from './process.ts'
import { models, reach } from './provider.ts'
import { leaseMs, type Referee } from './referee.ts'
import { OwnSteps } from './own-steps.ts'
import { asRemembered, newTask, search, tools, type Task } from './task.ts'

const sessionIds = ['s1', 's2', 's3']
const forkIds = ['f1', 'f2']

export interface Surroundings {
  process: Process
  store: Store
  referee: Referee
  lab: LocalLab
  /** Wraps what a test wants to be wrong. */
  session: (session: Session) => Session
  fetch: (reach: typeof fetch) => typeof fetch
}

/** One opened session and what its program needs. */
interface Work extends Surroundings {
  opened: Session
  client: Anthropic
  steps: OwnSteps
}

/** Some are too long for a line of the journal. */
const result = (call: string) =>
  `the result of ${call}${'.'.repeat(call.charCodeAt(call.length - 1) % 8 === 0 ? 70_000 : 0)}`

/** Opens the session, does something with it, closes it. */
async function within(it: Surroundings, id: string, takeover: boolean, use: (work: Work) => Promise<void>) {
  const { process, store, referee, lab } = it
  const self = owner(process.clock.newId())
  const opened = it.session(
    await openSession(id, {
      store,
      takeover,
      leaseMs,
      clock: process.clock,
      owner: self,
      cwd: null,
      policy: { cutText: process.world.pick(['keep', 'resend']) },
    }),
  )
  opened.subscribe((event) => {
    if (event.type === 'entry' && !process.isDead)
      referee.acknowledged.push({ sessionId: id, entry: structuredClone(event.entry) })
  })
  const fetch = it.fetch(reach(lab, process, ({ messages }) => referee.arrives(process.name, self.id, id, messages)))
  const client = new Anthropic({ apiKey: 'simulated', baseURL: lab.url, fetch, logLevel: 'off' })
  try {
    await use({ ...it, opened, client, steps: new OwnSteps(process, referee, opened) })
  } finally {
    await opened.close()
  }
}

/** Runs a tool: the effect comes first, its result later. */
async function run(work: Work, name: string, toolUseId: string, isGuarded: boolean): Promise<string> {
  const { process, referee, opened } = work
  await process.contact(async () => {
    referee.effect(process.name, opened.owner.id, opened.id, toolUseId, tools[name]!.rule, isGuarded)
  })
  if (isGuarded) await work.steps.inside(toolUseId)
  const { world } = process
  const lastsMs = world.chance(0.02) ? world.below(200_000) : world.below(3_000)
  await process.clock.sleepUntil(process.clock.now() + lastsMs)
  if (world.chance(0.05)) throw new Error(`the tool failed in ${toolUseId}`)
  return result(toolUseId)
}

/** Finds out what came of a call; the ledger of the tools tells. */
const look = ({ process, referee, opened }: Work, toolUseId: string) =>
  process.contact(async () => {
    if (referee.hasRun(opened.id, toolUseId)) return { kind: 'done' as const, result: result(toolUseId) }
    referee.permit(opened.id, toolUseId)
    return { kind: 'not-done' as const }
  })

/** Somebody who looks, and decides about a call; not always there, except at the end. */
function personFor(work: Work) {
  if (!work.process.isHealthy && work.process.world.chance(0.3)) return undefined
  return async (toolUseId: string) => ((await look(work, toolUseId)).kind === 'done' ? 'report' : 'rerun')
}

function step(work: Work, { toolUseId, name, input }: { toolUseId: string; name: string; input: unknown }) {
  const { rule, canTell } = tools[name]!
  const person = personFor(work)
  return work.opened.step(name, input, () => run(work, name, toolUseId, true), {
    toolUseId,
    inDoubt: rule,
    ...(person && { onInDoubt: () => person(toolUseId) }),
    ...(canTell && { verify: () => look(work, toolUseId) }),
  })
}

/** A loop of one's own, from wherever the session is to the end of a turn. */
async function ownLoop(work: Work, task: Task): Promise<void> {
  const { process, referee, opened, steps } = work
  const { world } = process
  let isSure = true
  const isByHand = world.chance(0.4)
  const client = recoverable(work.client, opened, world.chance(0.3) ? { ladder: ladder(...models) } : {})
  await opened.resume()
  if (!isByHand) await Promise.all(opened.transcript.unanswered.map((call) => step(work, call)))
  const messages = opened.messages() as Anthropic.MessageParam[]
  if (!opened.hasOpenTurn) {
    const isAnew = world.chance(0.1)
    if (isAnew) messages.splice(0)
    const said = isAnew ? [summary, ...task] : task
    messages.push({ role: 'user', content: said as unknown as Anthropic.ContentBlockParam[] })
  }
  const definitions = [...toolsOf(work).map(({ definition }) => definition as unknown as Anthropic.Tool), search]
  for (;;) {
    const asked = {
      model: models[world.chance(0.1) ? 1 : 0],
      max_tokens: world.chance(0.05) ? 1 + world.below(12) : 2_000,
      tools: definitions,
      messages,
    }
    if (world.chance(0.3)) await steps.before(isSure)
    const beside = world.chance(0.15) ? steps.beside() : Promise.resolve()
    beside.catch(() => {})
    const isUnread = !process.isHealthy && world.chance(0.03)
    if (isUnread) {
      await client.messages.create({ ...asked, stream: true })
      referee.givesUp(opened.id)
      isSure = false
    }
    const options = leavingSoon(process)
    const asking = world.chance(0.5)
      ? client.messages.stream(asked, options).finalMessage()
      : client.messages.create(asked, options)
    const answer = await asking.catch((error: unknown) => {
      if (!(error instanceof Anthropic.APIUserAbortError) || world.chance(0.5)) throw error
      referee.givesUp(opened.id)
      isSure = false
      return undefined
    })
    await beside
    if (!answer) continue
    isSure = true
    if (!process.isDead)
      referee.acknowledged.push({ sessionId: opened.id, answer: answer.content as unknown as Block[] })
    if (answer.stop_reason === 'refusal') {
      const isOver = await rephrased(work, messages)
      if (isOver) return
      continue
    }
    if (answer.content.length > 0) messages.push({ role: 'assistant', content: asRemembered(world, answer.content) })
    const calls = answer.content.filter((block) => block.type === 'tool_use')
    if (calls.length === 0 && answer.stop_reason === 'pause_turn') continue
    if (calls.length === 0) return
    if (world.chance(0.1)) void askForTitle(client, opened.messages() as Anthropic.MessageParam[])
    const results = await Promise.all(
      calls.map(async ({ id, name, input }) => {
        if (isByHand) {
          const content = await run(work, name, id, false).catch((error: Error) => error.message)
          return { type: 'tool_result', tool_use_id: id, content }
        }
        const block = await step(work, { toolUseId: id, name, input })
        if (!process.isDead) referee.acknowledged.push({ sessionId: opened.id, result: block })
        return block
      }),
    )
    messages.push({ role: 'user', content: results as unknown as Anthropic.ToolResultBlockParam[] })
  }
}

/** In place of a history that has become too long. */
const summary = { type: 'text', text: 'A summary of what was done.' }

/** Of a helper, beside the conversation, which does not need it. */
async function askForTitle(client: Anthropic, messages: Anthropic.MessageParam[]): Promise<void> {
  const asked = { role: 'user' as const, content: 'A title for this.' }
  await client.messages
    .create({ model: models[1], max_tokens: 200, messages: [...messages.slice(0, 1), asked] })
    .catch(() => {})
}

/** What ends a run, or a request, that somebody does not want any more. */
class Unwanted extends Error {}

function leavingSoon({ world, isHealthy }: Process): { signal?: AbortSignal } {
  if (isHealthy || !world.chance(0.1)) return {}
  const leaving = new AbortController()
  void world.sleep(world.below(20_000)).then(() => leaving.abort(new Unwanted()))
  return leaving
}

/** What a person does about a refusal: leaves it, goes back, says it in other words instead or after it. */
async function rephrased({ process: { world }, opened }: Work, messages: Anthropic.MessageParam[]): Promise<boolean> {
  const act = world.below(4)
  if (act === 0) return true
  if (act === 1) {
    await opened.rewind(opened.lastGoodTurn, 'other words')
    messages.splice(0, Infinity, ...(opened.messages() as Anthropic.MessageParam[]))
  }
  const last = messages.at(-1)
  if (act === 2 && last?.role === 'user' && !JSON.stringify(last).includes('tool_result')) messages.pop()
  messages.push({ role: 'user', content: newTask(world) as unknown as Anthropic.ContentBlockParam[] })
  return false
}

/** The same for a loop and for an agent: the API binds what the model thought to the tools that it had. */
const toolsOf = (work: Work) =>
  Object.entries(tools).map(([name, { rule, canTell }]) =>
    tool({
      name,
      description: 'A tool.',
      input: z.object({}),
      inDoubt: rule,
      run: (_input, { toolUseId }) => run(work, name, toolUseId, true),
      ...(canTell && { verify: (_input: unknown, { toolUseId }: ToolContext) => look(work, toolUseId) }),
    }),
  )

async function agentTurn(work: Work, task: Task): Promise<void> {
  const { opened, client, process } = work
  const params = { tools: [search] }
  const [first, second] = process.world.chance(0.1) ? models.toReversed() : models
  const agent = defineAgent({ name: 'agent', client, model: ladder(first!, second!), tools: toolsOf(work), params })
  const person = personFor(work)
  await opened.run(
    agent,
    opened.hasOpenTurn && !(opened.state === 'refused' && process.world.chance(0.5)) ? undefined : task,
    { ...leavingSoon(process), ...(person && { onInDoubt: ({ toolUseId }) => person(toolUseId) }) },
  )
}

/** A turn belongs to whoever began it. */
function turn(work: Work): Promise<void> {
  const { opened, process } = work
  const isAgents = opened.hasOpenTurn ? opened.agent !== undefined : process.world.chance(0.4)
  return (isAgents ? agentTurn : ownLoop)(work, newTask(process.world))
}

async function meddle({ opened, process }: Work): Promise<void> {
  const { world } = process
  const act = world.below(8)
  if (act === 0) await opened.rewind(world.below(opened.lastGoodTurn + 1), 'simulated')
  if (act === 1) await opened.revertRepairs('simulated')
  if (act === 2) await opened.suspend('interrupted', 'simulated')
}

/** One life of a process: one thing that it does with one session. `mayWait`: for a lease to expire. */
export async function live(it: Surroundings, mayWait: boolean): Promise<void> {
  const { process, store, referee } = it
  const { world, name, clock } = process
  const id = world.pick(world.chance(0.8) ? sessionIds : forkIds)
  const options = { clock, owner: owner(clock.newId()) }
  const doing = world.pick(['forks', 'removes', ...Array.from({ length: 8 }, () => 'works on')])
  world.tell(name, `${doing} ${id}`)
  try {
    if (doing === 'forks') {
      const turn = world.chance(0.3) ? { turn: 1 + world.below(3) } : {}
      const fork = await forkSession(store, id, world.pick(forkIds), { ...options, ...turn })
      if (!process.isDead) referee.forks.add(fork.sessionId)
    } else if (doing === 'removes') await removeSession(store, id, options)
    else
      await within(it, id, !mayWait || world.chance(0.4), async (work) => {
        for (let turns = world.below(3); turns >= 0; turns -= 1) {
          await meddle(work)
          await turn(work)
        }
      })
    world.tell(name, 'is at its end')
  } catch (error) {
    // The API's own error, where neither waiting nor a repair helps, and what somebody did not want any more.
    const isExpected = isLastgoodError(error)
      ? !isJournalError(error) || referee.isOrphan(id) || originOfCut(error) !== undefined
      : [Anthropic.NotFoundError, Anthropic.ContentTooLargeError, Anthropic.APIUserAbortError, Unwanted].some(
          (kind) => error instanceof kind,
        )
    if (!isExpected) throw error
    const { name: kind, message } = error as Error
    world.tell(name, `ends with ${isLastgoodError(error) ? error.code : kind}: ${message}`)
  }
}

/** A process without any trouble brings the session to rest. */
export async function finish(it: Surroundings, id: string, mayWait: boolean): Promise<void> {
  const { world, name } = it.process
  world.tell(name, `brings ${id} to rest`)
  const rest = () =>
    within(it, id, !mayWait, async (work) => {
      while (work.opened.hasOpenTurn) await turn(work)
      await work.opened.resume()
    })
  await rest().catch(async (error: unknown) => {
    // A fork whose process died before anything was in it says so, and is made again.
    const origin = originOfCut(error)
    if (origin === undefined) throw error
    const { clock } = it.process
    const options = { clock, owner: owner(clock.newId()) }
    const again = () => forkSession(it.store, origin.sessionId, id, options).then(rest)
    await again().catch((failed: unknown) => {
      // Its origin has gone back to before its first turn, or is gone.
      if (!isLastgoodError(failed, 'bad-option') && !isLastgoodError(failed, 'session-not-found')) throw failed
      return removeSession(it.store, id, options)
    })
  })
}

/** What the fork is of that an error says has stopped before anything was in it. */
const originOfCut = (error: unknown) =>
  isLastgoodError(error, 'journal-corrupt') ? (error.details['origin'] as { sessionId: string } | undefined) : undefined
