/**
 * The evidence of a small demo in which everything went well: a fault, a refused image, a turn of another model, a kill
 * during the migration, a commit.
 */
import { foldJournal, type Block, type Entry, type EntryBody, type Head, type Message } from '@lastgood/core'
import { entry, head, owner } from '@lastgood/core/testing'
import type { Evidence, LabRequest, Recorded } from './evidence.ts'
import { migrationCommand, migrationLine, prompts } from './project.ts'
import type { Effect } from './tools/effects-log.ts'

const sessionId = 'demo-1'
const tools = [{ name: 'run' }]
const machines = { before: 'release-1', after: 'release-2' }

const [opus, sonnet] = ['opus', 'sonnet'] as const
const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBO' } }
const leftOut: Message = {
  role: 'user',
  content: [{ ...result('call_p'), content: [{ type: 'text', text: '[image left out: the API refused it]' }] }],
}

export async function goodEvidence(): Promise<Evidence> {
  const bodies: EntryBody[] = [
    { type: 'session-opened', owner: owner('first'), writer: '0.1.0' },
    turnStarted(1),
    sent(opus, 1),
    { type: 'fault-observed', fault: { kind: 'server-transient', status: 500 }, decision: { kind: 'retry', at: 0 } },
    sent(opus, 2),
    answer(1, [['call_p', 'cat picture']]),
    started('call_p'),
    { type: 'tool-finished', toolUseId: 'call_p', result: result('call_p', [picture]), outcome: 'ran' },
    sent(opus, 1),
    {
      type: 'fault-observed',
      fault: { kind: 'image-rejected', status: 400 },
      decision: { kind: 'repair', rule: 'remove-images' },
    },
    sent(opus, 2),
    answer(2, [['call_t', 'node --test']]),
    {
      type: 'transcript-repaired',
      repairs: [{ rule: 'remove-images', what: 'left out 1 image' }],
      edits: [{ from: 2, to: 3, insert: [leftOut] }],
      standing: [],
    },
    started('call_t'),
    { type: 'tool-finished', toolUseId: 'call_t', result: result('call_t'), outcome: 'ran' },
    sent(opus, 1),
    {
      type: 'fault-observed',
      fault: { kind: 'overloaded', status: 529 },
      decision: { kind: 'fallback', rung: 1 },
    },
    { type: 'rung-changed', rung: 1, model: sonnet, reason: '529 overloaded' },
    sent(sonnet, 2),
    answer(3, [], sonnet),
    { type: 'turn-ended', turn: 1 },
    turnStarted(2),
    sent(opus, 1),
    answer(4, [['call_m', migrationCommand]]),
    started('call_m'),
    // Here it was killed.
    { type: 'session-resumed', owner: { ...owner('second'), pid: 4243 }, refolded: true },
    { type: 'tool-finished', toolUseId: 'call_m', result: result('call_m'), outcome: 'in-doubt' },
    sent(opus, 1),
    answer(5, [['call_c', 'git commit']]),
    started('call_c'),
    { type: 'tool-finished', toolUseId: 'call_c', result: result('call_c'), outcome: 'ran' },
    sent(opus, 1),
    answer(6, []),
    { type: 'turn-ended', turn: 2 },
  ]
  const killedAt = bodies.findIndex(({ type }) => type === 'session-resumed')
  const entries = bodies.map((body, i): Entry => entry(i + 1, i < killedAt ? 1 : 2, body))
  const recorded = (await foldJournal(entries, 'x')).transcript.messages
  const mended = recorded.with(2, leftOut)
  const received: Omit<LabRequest, 'at'>[] = [
    { ...asked(opus, recorded.slice(0, 1)), kind: 'fault', status: 500, outage: '500' },
    { ...asked(opus, recorded.slice(0, 1)), ...served(1) },
    { ...asked(opus, recorded.slice(0, 3)), kind: 'fault', status: 400, outage: 'image' },
    { ...asked(opus, mended.slice(0, 3)), ...served(2) },
    { ...asked(opus, mended.slice(0, 5)), kind: 'fault', status: 529, outage: '529' },
    { ...asked(sonnet, mended.slice(0, 5)), ...served(3) },
    { ...asked(opus, mended.slice(0, 7)), ...served(4) },
    { ...asked(opus, mended.slice(0, 9)), ...served(5) },
    { ...asked(opus, mended.slice(0, 11)), ...served(6) },
  ]
  return {
    sessionId,
    prompts,
    atKill: await recordedAt(entries.slice(0, killedAt), machines.before),
    atEnd: await recordedAt(entries, machines.after),
    resumeExitCode: 0,
    effects: [
      effect('start', 'call_p', 'cat picture'),
      effect('end', 'call_p', 'cat picture'),
      effect('start', 'call_t', 'node --test'),
      effect('end', 'call_t', 'node --test'),
      effect('start', 'call_m', migrationCommand),
      effect('start', 'call_c', 'git commit'),
      effect('end', 'call_c', 'git commit'),
    ],
    repository: {
      ledger: ['0001 create-posts', migrationLine],
      committedLedger: ['0001 create-posts', migrationLine],
      commits: ['fix', 'the project'],
      isClean: true,
      tests: { exitCode: 0, pass: 4, fail: 0 },
    },
    lab: {
      requests: received.map((request, i) => ({ ...request, at: i * 1_000 })),
      script: [
        { name: '500', kind: 'server-transient', times: 1 },
        { name: 'image', kind: 'image-rejected', times: 1 },
        { name: '529', kind: 'overloaded', times: 1 },
      ],
      models: [opus, sonnet],
      page: {
        readings: [
          { at: 4_500, says: 'operational' },
          { at: 9_500, says: 'incident', incident: "monitoring 'Elevated errors'" },
        ],
        visits: 2,
      },
      deployed: { before: JSON.stringify(tools), after: '[]' },
    },
  }
}

export async function recordedAt(entries: readonly Entry[], version: string): Promise<Recorded> {
  const { snapshot } = await foldJournal(entries, 'x')
  const { turn, lastGoodTurn } = snapshot.context
  const machine: Head['machine'] = { version, value: snapshot.value, context: { ...snapshot.context } }
  return { entries, head: head(sessionId, entries.length, { turn, lastGoodTurn, machine }) }
}

function turnStarted(turn: number): EntryBody {
  return { type: 'turn-started', turn, agent: 'coder', messages: [{ role: 'user', content: prompts[turn - 1] ?? '' }] }
}

/** Each answer has 100 more input tokens, and finds everything that was sent before in the cache. */
function usageOf(n: number) {
  return {
    input_tokens: 100,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: (n - 1) * 100,
    output_tokens: 10,
  }
}

function sent(model: string, attempt: number): EntryBody {
  return { type: 'request-sent', model, attempt }
}

function started(toolUseId: string): EntryBody {
  return { type: 'tool-started', toolUseId, name: 'run', inDoubt: 'report' }
}

function answer(n: number, calls: [id: string, command: string][], model: string = opus): EntryBody {
  const content = [
    { type: 'text', text: `answer ${n}` },
    ...calls.map(([id, command]) => ({ type: 'tool_use', id, name: 'run', input: { command } })),
  ]
  const stop_reason = calls.length > 0 ? 'tool_use' : 'end_turn'
  return {
    type: 'response-received',
    message: { id: `msg_${n}`, role: 'assistant', model, content, stop_reason, usage: usageOf(n) },
  }
}

function result(id: string, content: string | Block[] = 'ok'): Block {
  return { type: 'tool_result', tool_use_id: id, content }
}

function asked(model: string, messages: readonly Message[]) {
  return { model, raw: JSON.stringify({ model, tools, messages, stream: true }) }
}

function served(n: number) {
  return { kind: 'ok', status: 200, messageId: `msg_${n}`, usage: usageOf(n) } as const
}

function effect(phase: Effect['phase'], toolUseId: string, command: string): Effect {
  return { phase, key: `${sessionId}:${toolUseId}`, tool: 'run', command, pid: 1, at: 1 }
}
