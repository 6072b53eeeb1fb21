/** The sessions of the golden journals, run with the real SDK against the lab, on files. */
import Anthropic from '@anthropic-ai/sdk'
import { ladder, recoverable } from '@lastgood/anthropic'
import {
  exportSession,
  forkSession,
  importSession,
  openSession,
  type EntryBody,
  type Holder,
  type Owner,
  type Session,
  type Store,
} from '@lastgood/core'
import { reply, startLab, story, text, thinking, toolUse, type LabOptions, type Outage } from '@lastgood/outage-lab'
import { countingAgent, countTool } from '../support/counting-story.ts'

const model = 'claude-opus-5-5'
/** An owner that no test can mistake for a process of its own. */
const owner = (id: string): Owner => ({ id, host: 'golden.test', realm: 'the host of the golden journals', pid: 4711 })

let owners = 0
const open = (store: Store, id: string, machineVersion?: string): Promise<Session> =>
  openSession(id, {
    store,
    takeover: true,
    cwd: '/projects/golden',
    owner: owner(`owner-${(owners += 1)}`),
    ...(machineVersion !== undefined && { machineVersion }),
  })

async function withLab(options: LabOptions, job: (client: Anthropic) => Promise<void>): Promise<void> {
  const lab = await startLab(options)
  try {
    await job(new Anthropic({ baseURL: lab.url, apiKey: 'test', logLevel: 'off' }))
  } finally {
    await lab.close()
  }
}

const status = (request: number, code: number, message?: string): Outage => ({
  when: { request },
  fault: { kind: 'status', status: code, ...(message !== undefined && { message, type: 'invalid_request_error' }) },
})

const counting = story([
  reply([thinking('I count first.'), text('Starting now: é 😀.'), toolUse('count', { n: 1 })]),
  reply([text('Two at once.'), toolUse('count', { n: 2 }), toolUse('count', { n: 3 })]),
  reply([thinking('Nearly there.'), text('done')]),
  reply([text('Once more.'), toolUse('count', { n: 4 })]),
  reply(text('done again')),
])

const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

/** By name, which is also the session's id. */
export const scenarios: Readonly<Record<string, (store: Store, id: string) => Promise<void>>> = {
  /** Two turns of an agent, through a 500 and a stream that is cut inside a call. */
  async agent(store, id) {
    const cut: Outage = { when: { request: 3 }, fault: { kind: 'cut', after: { inside: 'tool_use' }, how: 'reset' } }
    await withLab({ model: counting, outages: [status(1, 500), cut] }, async (client) => {
      const session = await open(store, id)
      const agent = countingAgent({ count: (input) => `counted ${JSON.stringify(input)}` }, client)
      await session.run(agent, 'Count, please.')
      await session.run(agent, 'Again.')
      await session.close()
    })
  },

  /** Its process died in the middle of a tool. It was not resumed. */
  async killed(store, id) {
    await withLab({ model: counting }, async (client) => {
      const session = await open(store, id)
      let begun = () => {}
      const hangs = new Promise<void>((resolve) => (begun = resolve))
      const agent = countingAgent({ count: () => (begun(), new Promise<string>(() => {})) }, client)
      session.run(agent, 'Count, please.').catch(() => {})
      await hangs
      const holder = (await store.summary(id))?.holder as Holder
      await store.release({ kind: 'lease', sessionId: id, ...holder })
    })
  },

  /** The same, but another process continued it: the call is in doubt, the model is told. */
  async resumed(store, id) {
    await scenarios['killed']?.(store, id)
    await withLab({ model: counting }, async (client) => {
      const session = await open(store, id)
      await session.run(countingAgent({ count: () => 'counted' }, client))
      await session.close()
    })
  },

  /** A ladder: the first model is overloaded twice, the second takes the turn. */
  async ladder(store, id) {
    const down: Outage = { when: { requests: [1, 2], model }, fault: { kind: 'status', status: 529 } }
    await withLab({ model: story([reply(text('one')), reply(text('two'))]), outages: [down] }, async (client) => {
      const session = await open(store, id)
      const agent = countingAgent({ count: () => '' }, client, { model: ladder(model, 'claude-sonnet-5-5') })
      await session.run(agent, 'First.')
      await session.run(agent, 'Second.')
      await session.close()
    })
  },

  /** The caller's own loop: a refused image is left out; tool results come with the next request. */
  async loop(store, id) {
    const outages = [status(1, 400, 'Could not process image')]
    await withLab({ model: counting, outages }, async (client) => {
      const session = await open(store, id)
      const own = recoverable(client, session)
      const image = {
        type: 'image' as const,
        source: { type: 'base64' as const, media_type: 'image/png' as const, data: pixel },
      }
      const messages: Anthropic.MessageParam[] = [{ role: 'user', content: [{ type: 'text', text: 'Look.' }, image] }]
      for (let step = 0; step < 3; step += 1) {
        const answer = await own.messages.create({ model, max_tokens: 500, tools: [countTool], messages })
        const results = answer.content.flatMap((block) =>
          block.type === 'tool_use'
            ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: 'counted' }]
            : [],
        )
        messages.push({ role: 'assistant', content: answer.content })
        if (results.length > 0) messages.push({ role: 'user', content: results })
      }
      await session.close()
    })
  },

  /** The same, with the repairs reverted. */
  async reverted(store, id) {
    await scenarios['loop']?.(store, id)
    const session = await open(store, id)
    await session.revertRepairs('the image was fine')
    await session.close()
  },

  /** Rewound to its first turn, and continued differently. */
  async rewound(store, id) {
    await withLab({ model: story([1, 2, 3, 4].map((n) => reply(text(`answer ${n}`)))) }, async (client) => {
      const session = await open(store, id)
      const agent = countingAgent({ count: () => '' }, client)
      for (const ask of ['one', 'two', 'three']) await session.run(agent, ask)
      await session.rewind(1, 'other words')
      await session.run(agent, 'two, otherwise')
      await session.close()
    })
  },

  /** Refused by the API for good: suspended with its turn open. */
  async refused(store, id) {
    const outages = [status(2, 400, 'messages.0.content.0: something is wrong with it')]
    await withLab({ model: counting, outages }, async (client) => {
      const session = await open(store, id)
      await session.run(countingAgent({ count: () => 'counted' }, client), 'Count, please.').catch(() => {})
      await session.close()
    })
  },

  /** Steps of the caller's own loop: one that ran, one that failed, one that was begun and never reported. */
  async steps(store, id) {
    const session = await open(store, id)
    await session.startTurn([{ role: 'user', content: 'Deploy it.' }])
    await session.step('build', { to: 'dist' }, async () => ({ files: 3 }), { key: 'build' })
    await session.step('test', {}, async () => Promise.reject(new Error('one is red')), { key: 'test' }).catch(() => {})
    await session.record([{ type: 'step-started', stepId: 'deploy', name: 'deploy', inDoubt: 'report' }])
    await session.close()
  },

  /** A result that is too large for a line. */
  async large(store, id) {
    await withLab({ model: counting }, async (client) => {
      const session = await open(store, id)
      await session.run(
        countingAgent(
          { count: (input) => ((input as { n: number }).n === 1 ? 'large '.repeat(12_000) : 'small') },
          client,
        ),
        'Count, please.',
      )
      await session.close()
    })
  },

  /** Continues from the first turn of another session, with a time limit. */
  async fork(store, id) {
    await withLab({ model: story([1, 2, 3].map((n) => reply(text(`answer ${n}`)))) }, async (client) => {
      await forkSession(store, 'rewound', id, {
        turn: 2,
        owner: owner('forker'),
        cwd: '/projects/golden',
        ttlMs: 86_400_000,
      })
      const session = await open(store, id)
      await session.run(countingAgent({ count: () => '' }, client), 'three, otherwise')
      await session.retain({ pinned: true })
      await session.close()
    })
  },

  /** The fork, imported from a file. */
  async import(store, id) {
    const lines: string[] = []
    for await (const line of exportSession(store, 'fork')) lines.push(line.slice(0, -1))
    await importSession(
      store,
      async function* () {
        yield* lines
      },
      { as: id, owner: owner('importer') },
    )
  },

  /** All kinds of entries that are hard to bring about, each where the machine expects it. */
  async rare(store, id) {
    const call = (n: number) => ({ type: 'tool_use', id: `toolu_${n}`, name: 'run', input: { n } })
    const answer = (n: number, stop_reason: string, ...content: { type: string }[]): EntryBody => ({
      type: 'response-received',
      message: { id: `msg_${n}`, role: 'assistant', model, content, stop_reason, usage: { output_tokens: n } },
      requestId: `req_${n}`,
    })
    const sent = (attempt: number): EntryBody => ({ type: 'request-sent', model, attempt })
    const result = (n: number, outcome: 'ran' | 'in-doubt' | 'refused'): EntryBody => {
      const toolUseId = `toolu_${n}`
      const block = { type: 'tool_result', tool_use_id: toolUseId, content: `result ${n}`, unknown_field: [n] }
      return { type: 'tool-finished', toolUseId, result: block, outcome }
    }
    const intent = (n: number, inDoubt: 'rerun' | 'report' | 'ask'): EntryBody => ({
      type: 'tool-started',
      toolUseId: `toolu_${n}`,
      name: 'run',
      inDoubt,
    })
    const fault = (kind: 'overloaded' | 'spend-blocked' | 'auth-blocked', decision: unknown): EntryBody =>
      ({ type: 'fault-observed', fault: { kind, status: 529, message: 'Overloaded' }, decision }) as EntryBody
    const session = await open(store, id)
    const envelope = {
      body: { model, max_tokens: 9, system: [{ type: 'text', text: 'You run.' }] },
      apiVersion: '2023-06-01',
      betas: ['some-beta'],
    }
    await session.record([
      { type: 'turn-started', turn: 1, agent: 'runner', messages: [{ role: 'user', content: 'Run.' }] },
      { type: 'envelope-changed', envelope },
      sent(1),
      fault('overloaded', { kind: 'retry', at: 1_000 }),
      { type: 'request-held', until: 2_000, reason: 'circuit breaker open' },
      sent(2),
      fault('auth-blocked', { kind: 'resend' }),
      sent(3),
      {
        ...(answer(1, 'tool_use', { type: 'text', text: 'Running.' } as never, call(1), call(2), call(3)) as object),
        salvaged: true,
      } as EntryBody,
      intent(1, 'rerun'),
      intent(2, 'ask'),
      result(1, 'ran'),
      { type: 'session-suspended', reason: 'needs-input', detail: 'tool run was started' },
    ])
    await session.close()
    const again = await open(store, id)
    await again.record([result(2, 'in-doubt'), result(3, 'refused')])
    await again.record([sent(1), fault('spend-blocked', { kind: 'suspend', reason: 'no money', retryAt: 9_000 })])
    await again.close()
    const third = await open(store, id, 'another machine')
    await third.record([
      sent(1),
      answer(2, 'end_turn', { type: 'text', text: 'Ran.' } as never),
      { type: 'turn-ended', turn: 1 },
    ])
    await third.record([
      { type: 'turn-started', turn: 2, messages: [{ role: 'user', content: 'Say something bad.' }] },
      sent(1),
      answer(3, 'refusal'),
    ])
    await third.record([
      { type: 'rewound', messages: 0, turn: 1, lastGoodTurn: 1, reason: 'the caller brought another history' },
      {
        type: 'turn-started',
        turn: 2,
        messages: [
          { role: 'user', content: 'In short: it ran.' },
          { role: 'assistant', content: 'Yes.' },
          { role: 'user', content: 'And now?' },
        ],
      },
      { type: 'turn-continued', messages: [{ role: 'user', content: 'Quickly.' }] },
      sent(1),
      { type: 'session-suspended', reason: 'exhausted', detail: 'held for a day', retryAt: 99_000 },
    ])
    await third.close()
  },
}
