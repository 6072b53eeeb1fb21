/**
 * Deliberate faults, one each, to see that the simulation finds them: broken stores, sessions that break a rule of
 * their own, and ways to the provider that send something else.
 */
import type { Session } from '@lastgood/core'
import { forgetsFences, losesLastEntries } from '../support/broken-stores.ts'
import type { SimulationOptions } from './simulate.ts'

/** By what is wrong: the options of the simulation, and the promise whose breach must be found. */
export const mutations: Readonly<Record<string, { promise: string; options: SimulationOptions }>> = {
  'a store that takes the entries of a superseded writer': { promise: 'P3', options: { newStore: forgetsFences } },
  'a store that acknowledges an entry and loses it': { promise: 'P1', options: { newStore: losesLastEntries } },
  'a step whose tool is called twice': {
    promise: 'P2',
    options: {
      session: (session) => {
        const step = session.step.bind(session) as Session['step']
        return overriding(session, {
          step: (name: string, input: unknown, run: (context: never) => Promise<never>, options: never) =>
            step(name, input, async (context) => (await run(context as never)) && run(context as never), options),
        })
      },
    },
  },
  'a result that is handed out and not recorded': {
    promise: 'P1',
    options: {
      session: (session) =>
        overriding(session, {
          step: async (
            _name: string,
            _input: unknown,
            run: (context: unknown) => unknown,
            { toolUseId }: { toolUseId: string },
          ) => ({
            type: 'tool_result',
            tool_use_id: toolUseId,
            content: await run({ toolUseId }),
          }),
        }),
    },
  },
  'a request that leaves before its intent is durable': {
    promise: 'P5',
    options: {
      session: (session) => {
        const record = session.record.bind(session)
        return overriding(session, {
          record: async (bodies: Parameters<Session['record']>[0]) => {
            const recorded = record(bodies)
            if (bodies.every(({ type }) => type !== 'request-sent')) return recorded
            recorded.catch(() => {})
            return []
          },
        })
      },
    },
  },
  'a request that is sent twice': {
    promise: 'P5',
    options: { fetch: (reach) => async (input, init) => (await reach(input, init), reach(input, init)) },
  },
  'a request that leaves out what was said': {
    promise: 'P4',
    options: {
      fetch: (reach) => (input, init) => {
        const { messages, ...body } = JSON.parse(typeof init?.body === 'string' ? init.body : '{}') as {
          messages?: unknown[]
        }
        if (!messages) return reach(input, init)
        return reach(input, { ...init, body: JSON.stringify({ ...body, messages: messages.slice(-1) }) })
      },
    },
  },
  'a session that never closes': {
    promise: 'P6',
    options: { session: (session) => overriding(session, { close: () => new Promise<void>(() => {}) }) },
  },
}

/** Its fields are private, so a method is replaced in the object itself. */
function overriding(session: Session, methods: Partial<Record<keyof Session, unknown>>): Session {
  return Object.assign(session, methods)
}
