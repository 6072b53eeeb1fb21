/**
 * A client that nobody can change, and that treats faults as Claude Code does: the same request again after an error or a
 * break, now and then in one piece; no more once it is told that it need not, or after eleven tries. It goes on with what
 * it has, and knows nothing of lastgood.
 */
import type { Block, Message } from '@lastgood/core'
import type { LocalLab } from '@lastgood/outage-lab'
import { models } from '../provider.ts'
import { asRemembered, newTask, search, tools } from '../task.ts'
import type { World } from '../world.ts'
import type { Address } from './address.ts'
import { readStream, readWhole, type Answer, type Outcome } from './read-answer.ts'

const definitions = [
  ...Object.keys(tools).map((name) => ({ name, description: 'A tool.', input_schema: { type: 'object' } })),
  search,
]
const longestTries = 11
/** Of silence. */
const patienceMs = 300_000

/** What it was given, and when. */
export interface Given {
  answer: Answer
  at: number
}

export class Client {
  readonly name: string
  readonly given: Given[] = []
  readonly #world: World
  readonly #addresses: readonly Address[]
  readonly #lab: LocalLab
  readonly #history: Message[] = []
  readonly #calls = new Set<string>()
  #tasks = 0
  #titles = 0
  readonly #onGiven: (given: Given) => void
  #at: number

  constructor(
    name: string,
    world: World,
    lab: LocalLab,
    addresses: readonly Address[],
    onGiven: (given: Given) => void,
  ) {
    this.name = name
    this.#world = world
    this.#lab = lab
    this.#addresses = addresses
    this.#onGiven = onGiven
    this.#at = world.below(addresses.length)
  }

  async work(): Promise<void> {
    const world = this.#world
    for (let turns = 1 + world.below(4); turns > 0; turns -= 1) {
      await world.sleep(world.below(30_000))
      if (world.chance(0.15)) this.#goBack()
      // What follows has a summary of it.
      if (world.chance(0.1)) this.#history.splice(0)
      this.#history.push({ role: 'user', content: this.#task() })
      await this.#turn()
    }
    world.tell(this.name, 'is at its end')
  }

  /** No two are the same, so that the same request is asked for again by nobody but who lost its answer. */
  #task(): Block[] {
    return [{ type: 'text', text: `Task ${(this.#tasks += 1)} of ${this.name}.` }, ...newTask(this.#world)]
  }

  /** To before an earlier task. */
  #goBack(): void {
    const tasks = this.#history.flatMap(({ role, content }, at) =>
      role === 'user' && (content as Block[])[0]?.type !== 'tool_result' ? [at] : [],
    )
    if (tasks.length > 0) this.#history.splice(this.#world.pick(tasks))
  }

  /** What it asks beside its conversation, and does without if there is none. */
  async #askBeside(): Promise<void> {
    const messages: Message[] = [{ role: 'user', content: `Title ${(this.#titles += 1)} of ${this.name}` }]
    const body = { model: models[1], max_tokens: 200, system: 'You name things.', messages }
    const outcome = await this.#try(true, body)
    this.#world.tell(this.name, `beside: ${outcome.kind}`)
    if (outcome.kind === 'answer') this.#take(outcome)
  }

  #take(answer: Answer): Answer {
    const given = { answer, at: this.#world.clock.now() }
    this.given.push(given)
    this.#onGiven(given)
    return answer
  }

  async #turn(): Promise<void> {
    const world = this.#world
    for (;;) {
      const answer = await this.#ask()
      if (!answer || answer.stopReason === 'refusal') {
        await world.sleep(world.below(120_000))
        if (!answer && world.chance(0.5)) continue
        // Other words, in the same message: the last one may hold results.
        const last = this.#history.at(-1)
        if (last?.role === 'user')
          this.#history[this.#history.length - 1] = {
            ...last,
            content: [...(last.content as Block[]), ...this.#task()],
          }
        else this.#history.push({ role: 'user', content: this.#task() })
        continue
      }
      if (answer.content.length > 0)
        this.#history.push({ role: 'assistant', content: asRemembered(world, answer.content) })
      const calls = answer.content.filter(({ type }) => type === 'tool_use').map(({ id }) => String(id))
      for (const id of calls) {
        if (this.#calls.has(id)) world.find('P2', `${this.name} has the call ${id} twice`)
        this.#calls.add(id)
      }
      if (calls.length > 0) {
        await world.sleep(world.below(5_000))
        const results = calls.map((id) => ({ type: 'tool_result', tool_use_id: id, content: `the result of ${id}` }))
        this.#history.push({ role: 'user', content: results })
      } else if (answer.stopReason !== 'pause_turn') return
    }
  }

  /** Undefined when it gives up. */
  async #ask(): Promise<Answer | undefined> {
    const world = this.#world
    let streams = true
    if (world.chance(0.15)) void this.#askBeside()
    for (let tries = 1; tries <= longestTries; tries += 1) {
      const outcome = await this.#try(streams, this.#own())
      world.tell(this.name, `try ${tries}: ${outcome.kind}`)
      if (outcome.kind === 'answer') return this.#take(outcome)
      if (outcome.kind === 'final') return undefined
      if (outcome.kind === 'told' && world.chance(0.5)) streams = false
      if (world.chance(0.5)) this.#at = (this.#at + 1) % this.#addresses.length
      await world.sleep(Math.min(38_000, 500 * 2 ** tries) * (0.75 + world.random() / 2))
    }
    return undefined
  }

  async #try(streams: boolean, body: object): Promise<Outcome | { kind: 'final' }> {
    const world = this.#world
    const leaving = new AbortController()
    /** A person who leaves, or the client's own limit. */
    const leavesAt = world.chance(0.15) ? world.clock.now() + world.below(20_000) : Infinity
    const inTime = async <T>(work: Promise<T>): Promise<T> => {
      const over = new AbortController()
      const at = Math.min(leavesAt, world.clock.now() + patienceMs)
      const late = world.clock.sleepUntil(at, { signal: over.signal }).then(() => {
        leaving.abort(new Error('the client leaves'))
        throw leaving.signal.reason
      })
      late.catch(() => {})
      try {
        return await Promise.race([work, late])
      } finally {
        over.abort()
      }
    }
    try {
      const call = await inTime(
        this.#addresses[this.#at]!.call(this.#request(streams ? { ...body, stream: true } : body, leaving.signal)),
      )
      const next = () => inTime(call.next())
      if (call.status === 200) {
        const isStream = call.headers.get('content-type')?.includes('event-stream')
        return await (isStream ? readStream(next, (promise, what) => world.find(promise, what)) : readWhole(next))
      }
      while (await next()) continue
      return call.headers.get('x-should-retry') === 'false' ? { kind: 'final' } : { kind: 'told' }
    } catch {
      return { kind: 'broken' }
    }
  }

  #own(): object {
    return { model: models[0], max_tokens: 2_000, system: 'You work.', tools: definitions, messages: this.#history }
  }

  #request(body: object, signal: AbortSignal): Request {
    return new Request(`${this.#lab.url.replace(/\/\/[^/]+/, '//127.0.0.1')}/v1/messages`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'anthropic-version': '2023-06-01',
        ...('tools' in body && { 'anthropic-beta': 'claude-code-20250219' }),
        'x-api-key': 'simulated',
        'x-claude-code-session-id': this.name,
      },
      body: JSON.stringify(body),
      signal,
    })
  }
}
