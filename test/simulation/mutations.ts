/**
 * Deliberate faults, one each, to see that the simulation finds them: broken stores, sessions that break a rule of
 * their own, and ways to the provider that send something else.
 */
import { memoryStore, type Session, type Store } from '@lastgood/core'
import { forgetsFences, losesLastEntries } from '../support/broken-stores.ts'
import { underEachKey } from './at-rest.ts'
import type { SimulationOptions } from './simulate.ts'

type Step = (
  name: string,
  input: unknown,
  run: (context: unknown) => unknown,
  options: { toolUseId: string },
) => unknown

const losesBlobs: SimulationOptions['newStore'] = (clock) => ({ ...memoryStore({ clock }), putBlob: async () => {} })

const twice = (session: Session) => {
  const step = session.step.bind(session) as Step
  const mutated: Step = (name, input, run, options) =>
    step(name, input, async (context) => (await run(context)) && run(context), options)
  return Object.assign(session, { step: mutated })
}

const unrecorded = (session: Session) => {
  const step: Step = async (_name, _input, run, { toolUseId }) => {
    return { type: 'tool_result', tool_use_id: toolUseId, content: await run({}) }
  }
  return Object.assign(session, { step })
}

/** One that a program asks for again is another one. */
const alwaysNew = (session: Session) => {
  const step = session.step.bind(session) as Step
  let asked = 0
  const mutated: Step = (name, input, run, options) =>
    step(name, 'toolUseId' in options ? input : { [session.owner.id]: (asked += 1) }, run, options)
  return Object.assign(session, { step: mutated })
}

const tooEarly = (session: Session) => {
  const record = session.record.bind(session)
  const mutated: Session['record'] = async (bodies) => {
    const recorded = record(bodies)
    if (bodies.every(({ type }) => type !== 'request-sent')) return recorded
    recorded.catch(() => {})
    return []
  }
  return Object.assign(session, { record: mutated })
}

/** An answer with calls becomes a refusal in the journal alone. */
const refused = (session: Session) => {
  const record = session.record.bind(session)
  const mutated: Session['record'] = (bodies) =>
    record(
      bodies.flatMap((body) => {
        if (body.type === 'tool-started') return []
        if (body.type !== 'response-received' || body.message.stop_reason !== 'tool_use') return [body]
        return [{ ...body, message: { ...body.message, stop_reason: 'refusal' } }]
      }),
    )
  return Object.assign(session, { record: mutated })
}

interface Said {
  role: string
  content: unknown
}

const sending =
  (change: (messages: readonly Said[]) => readonly Said[]): NonNullable<SimulationOptions['fetch']> =>
  (reach) =>
  (input, init) => {
    const { messages, ...body } = JSON.parse(typeof init?.body === 'string' ? init.body : '{}') as { messages?: Said[] }
    if (!messages) return reach(input, init)
    return reach(input, { ...init, body: JSON.stringify({ ...body, messages: change(messages) }) })
  }

const shortened = sending((messages) => messages.slice(-1))
const begunAnew = sending((messages) => (messages.at(-1)?.role === 'assistant' ? messages.slice(0, -1) : messages))
const misquoted = sending((messages) =>
  messages.map((message, at) =>
    String(messages[at + 1]?.content).startsWith('Your previous response was interrupted')
      ? { ...message, content: [{ type: 'text', text: 'Something else.' }] }
      : message,
  ),
)

/** Each append is under another key. */
const neverTheSame = (store: Store): Store => {
  const [one, other] = underEachKey(store) as [Store, Store]
  let appends = 0
  return { ...one, append: (...args) => ((appends += 1) % 2 === 0 ? one : other).append(...args) }
}

const doubled: SimulationOptions['fetch'] = (reach) => async (input, init) => {
  await reach(input, init)
  return reach(input, init)
}

const endless = (session: Session) => Object.assign(session, { close: () => new Promise<void>(() => {}) })

/** What is wrong, the promise that it breaks, and the options that make it so. */
export const mutations: readonly (readonly [what: string, promise: string, options: SimulationOptions])[] = [
  ['a store that takes the entries of a superseded writer', 'P3', { newStore: forgetsFences }],
  ['a store that acknowledges an entry and loses it', 'P1', { newStore: losesLastEntries }],
  ['a store that loses what is kept beside the journal', 'P1', { newStore: losesBlobs }],
  ['a step that runs its tool twice', 'P2', { session: twice }],
  ['a step of a loop that is not the same when it is asked for again', 'P2', { session: alwaysNew }],
  ['a step that does not record its result', 'P1', { session: unrecorded }],
  ['a request that leaves before its intent is durable', 'P5', { session: tooEarly }],
  ['a request that is sent twice', 'P5', { fetch: doubled }],
  ['a request without what was said before', 'P4', { fetch: shortened }],
  ['a paused answer that is left out when it goes on', 'P4', { fetch: begunAnew }],
  ['a text that was kept, and is not what was said', 'P4', { fetch: misquoted }],
  ['an answer that is refused, and whose calls are run', 'P2', { session: refused }],
  ['an encryption that seals the same in another way', 'P6', { atRest: neverTheSame }],
  ['a session that never closes', 'P6', { session: endless }],
]
