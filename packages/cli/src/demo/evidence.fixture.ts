/** The evidence of a small demo in which everything went well: one fault, a kill in the migration, a commit. */
import { foldJournal, type Entry, type EntryBody, type Head, type Message } from '@lastgood/core'
import { entry, head, owner } from '@lastgood/core/testing'
import type { Evidence, LabRequest, Recorded } from './evidence.ts'
import { migrationCommand, migrationLine, prompts } from './project.ts'
import type { Effect } from './tools/effects-log.ts'

const sessionId = 'demo-1'
const tools = [{ name: 'run' }]
const machines = { before: 'release-1', after: 'release-2' }

export async function goodEvidence(): Promise<Evidence> {
  const bodies: EntryBody[] = [
    { type: 'session-opened', owner: owner('first'), writer: '0.1.0' },
    turnStarted(1),
    { type: 'request-sent', model: 'm', attempt: 1 },
    { type: 'fault-observed', fault: { kind: 'server-transient', status: 500 }, decision: { kind: 'retry', at: 0 } },
    { type: 'request-sent', model: 'm', attempt: 2 },
    answer(1, []),
    { type: 'turn-ended', turn: 1 },
    turnStarted(2),
    { type: 'request-sent', model: 'm', attempt: 1 },
    answer(2, [['call_m', migrationCommand]]),
    { type: 'tool-started', toolUseId: 'call_m', name: 'run', inDoubt: 'report' },
    // Here it was killed.
    { type: 'session-resumed', owner: { ...owner('second'), pid: 4243 }, refolded: true },
    { type: 'tool-finished', toolUseId: 'call_m', result: result('call_m'), outcome: 'in-doubt' },
    { type: 'request-sent', model: 'm', attempt: 1 },
    answer(3, [['call_c', 'git commit']]),
    { type: 'tool-started', toolUseId: 'call_c', name: 'run', inDoubt: 'report' },
    { type: 'tool-finished', toolUseId: 'call_c', result: result('call_c'), outcome: 'ran' },
    { type: 'request-sent', model: 'm', attempt: 1 },
    answer(4, []),
    { type: 'turn-ended', turn: 2 },
  ]
  const killedAt = bodies.findIndex(({ type }) => type === 'session-resumed')
  const entries = bodies.map((body, i): Entry => entry(i + 1, i < killedAt ? 1 : 2, body))
  const messages = (await foldJournal(entries, 'x')).transcript.messages
  return {
    sessionId,
    prompts,
    atKill: await recordedAt(entries.slice(0, killedAt), machines.before),
    atEnd: await recordedAt(entries, machines.after),
    resumeExitCode: 0,
    effects: [
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
      requests: [
        { kind: 'fault', outage: '500', raw: rawOf(messages.slice(0, 1)) },
        served(1, messages.slice(0, 1)),
        served(2, messages.slice(0, 3)),
        served(3, messages.slice(0, 5)),
        served(4, messages.slice(0, 7)),
      ],
      script: [{ name: '500', kind: 'server-transient' }],
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

/** Each answer has 100 input tokens more, and finds all that were sent before in the cache. */
function usageOf(n: number) {
  return {
    input_tokens: 100,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: (n - 1) * 100,
    output_tokens: 10,
  }
}

function answer(n: number, calls: [id: string, command: string][]): EntryBody {
  const content = calls.map(([id, command]) => ({ type: 'tool_use', id, name: 'run', input: { command } }))
  const stop_reason = calls.length > 0 ? 'tool_use' : 'end_turn'
  return {
    type: 'response-received',
    message: { id: `msg_${n}`, role: 'assistant', model: 'm', content, stop_reason, usage: usageOf(n) },
  }
}

const result = (id: string) => ({ type: 'tool_result', tool_use_id: id, content: 'ok' })

function rawOf(messages: readonly Message[]): string {
  return JSON.stringify({ model: 'm', tools, messages, stream: true })
}

function served(n: number, messages: readonly Message[]): LabRequest {
  return { kind: 'ok', raw: rawOf(messages), messageId: `msg_${n}`, usage: usageOf(n) }
}

function effect(phase: Effect['phase'], toolUseId: string, command: string): Effect {
  return { phase, key: `${sessionId}:${toolUseId}`, tool: 'run', command, pid: 1, at: 1 }
}
