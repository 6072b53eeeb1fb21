/** An entry as facts for programs: what happened, without any content of the conversation. */
import type { Entry } from '@lastgood/core'
import { iso } from './durations.ts'

export interface EntryFacts {
  readonly seq: number
  /** ISO 8601. */
  readonly at: string
  readonly type: Entry['type']
  readonly [fact: string]: unknown
}

export function entryFacts(entry: Entry): EntryFacts {
  return { seq: entry.seq, at: iso(entry.at), type: entry.type, ...factsOf(entry) }
}

function factsOf(entry: Entry): Record<string, unknown> {
  switch (entry.type) {
    case 'session-opened':
      return { host: entry.owner.host, pid: entry.owner.pid, cwd: entry.cwd, writer: entry.writer }
    case 'session-resumed':
      return { host: entry.owner.host, pid: entry.owner.pid, refolded: entry.refolded }
    case 'session-suspended':
      return { reason: entry.reason, detail: entry.detail }
    case 'envelope-changed':
      return { model: entry.envelope.body.model, betas: entry.envelope.betas }
    case 'turn-started':
      return { turn: entry.turn, agent: entry.agent, messages: entry.messages.length }
    case 'turn-continued':
      return { messages: entry.messages.length }
    case 'request-sent':
      return { model: entry.model, attempt: entry.attempt }
    case 'response-received': {
      const { model, stop_reason: stopReason, usage, content } = entry.message
      const tools = content.flatMap((block) => (block.type === 'tool_use' ? [String(block['name'])] : []))
      return { model, stopReason, requestId: entry.requestId, salvaged: entry.salvaged, tools, usage }
    }
    case 'tool-started':
      return { toolUseId: entry.toolUseId, tool: entry.name, inDoubt: entry.inDoubt }
    case 'tool-finished':
      return { toolUseId: entry.toolUseId, outcome: entry.outcome, isError: entry.result['is_error'] === true }
    case 'step-started':
      return { stepId: entry.stepId, step: entry.name, inDoubt: entry.inDoubt }
    case 'step-finished':
      return { stepId: entry.stepId, outcome: entry.outcome }
    case 'fault-observed': {
      const { decision } = entry
      const at = decision.kind === 'retry' ? decision.at : decision.kind === 'suspend' ? decision.retryAt : undefined
      return {
        fault: entry.fault,
        decision: decision.kind,
        ...(decision.kind === 'repair' && { rule: decision.rule }),
        ...(decision.kind === 'fallback' && { rung: decision.rung }),
        ...(at !== undefined && { nextAt: iso(at), waitMs: Math.max(0, at - entry.at) }),
      }
    }
    case 'request-held':
      return { nextAt: iso(entry.until), waitMs: Math.max(0, entry.until - entry.at), reason: entry.reason }
    case 'rung-changed':
      return { rung: entry.rung, model: entry.model, reason: entry.reason }
    case 'transcript-repaired':
      return {
        repairs: entry.repairs,
        edits: entry.edits.map(({ from, to }) => ({ from, to })),
        standing: entry.standing,
      }
    case 'repairs-reverted':
      return { reason: entry.reason }
    case 'turn-ended':
      return { turn: entry.turn }
    case 'session-forked':
      return { origin: entry.origin, reason: entry.reason }
    case 'session-imported':
      return { sessionId: entry.sessionId, entries: entry.entries, sha256: entry.sha256 }
    case 'retention-changed':
      return { ttlMs: entry.ttlMs, pinned: entry.pinned }
    case 'kept-apart':
      return { of: entry.of, bytes: entry.blob.bytes }
    case 'sealed':
      return { codec: entry.codec, key: entry.key }
    case 'rewound':
      return { messages: entry.messages, turn: entry.turn, lastGoodTurn: entry.lastGoodTurn, reason: entry.reason }
  }
}
