/**
 * A session's history as turns, for people and for programs: a fold of its journal. Pure.
 *
 * 1. Each piece of content is quoted in one short line; everything else is facts.
 * 2. A rewound turn stays in the report, marked: it happened.
 */
import { inputLabel } from '../call-label.ts'
import { billedUsage, tokensIn, type Block, type Decision, type Entry, type Message, type Usage } from '@lastgood/core'
import type { SessionDocument, Step, StepOf, Tokens, TurnReport } from '@lastgood/dashboard'
import { iso } from '../durations.ts'
import { faultLabel } from '../outages/outage-kinds.ts'
import { firstWordsIn } from '../sessions/first-words.ts'
import { shorten } from '../text.ts'

const quoted = 120

export class SessionReport {
  readonly turns: TurnReport[] = []
  /** Steps before the first turn; a step between turns belongs to the turn before it. */
  readonly before: Step[] = []
  entries = 0
  #attempt = 0
  #sentAt = 0
  /** The last turn's calls by id, and the program steps of all turns by id: the last run of each. */
  readonly #calls = new Map<string, Call>()
  readonly #steps = new Map<string, StepOf<'step'>>()

  take(entry: Entry, inherited = false): void {
    if (!inherited) this.entries = entry.seq
    if (entry.type === 'turn-started') {
      this.turns.push(newTurn(entry, inherited))
      this.#calls.clear()
    }
    const turn = this.turns.at(-1)
    if (turn?.state === 'open') turn.durationMs = entry.at - Date.parse(turn.startedAt)
    if (turn) this.#count(turn, entry)
    const body = this.#stepOf(entry, turn)
    if (!body) return
    const step: Step = { seq: entry.seq, at: iso(entry.at), ...body }
    if (step.kind === 'step') this.#steps.set(step.stepId, step)
    ;(turn?.steps ?? this.before).push(step)
  }

  #count(turn: TurnReport, entry: Entry): void {
    switch (entry.type) {
      case 'request-sent':
        turn.requests += 1
        this.#attempt = entry.attempt
        this.#sentAt = entry.at
        break
      case 'fault-observed':
        turn.faults += 1
        break
      case 'response-received':
        turn.tools += entry.message.content.filter((block) => block.type === 'tool_use').length
        addTokens(turn.tokens, billedUsage(entry.message.usage))
        break
      case 'turn-ended':
        turn.state = 'ended'
        turn.endedAt = iso(entry.at)
        break
      case 'rewound':
        for (const one of this.turns) if (one.turn > entry.turn) one.state = 'rewound'
        for (const one of this.turns.filter(({ turn, state }) => turn > entry.lastGoodTurn && state === 'ended')) {
          one.state = 'open'
          one.endedAt = null
        }
        break
      default: // changes no count
    }
  }

  #stepOf(entry: Entry, turn: TurnReport | undefined): DistributedStep | undefined {
    switch (entry.type) {
      case 'response-received': {
        const { content, model, stop_reason: stopReason } = entry.message
        const text = shorten(textOf(content), quoted)
        const durationMs = entry.at - this.#sentAt
        turn?.steps.push({
          seq: entry.seq,
          at: iso(entry.at),
          kind: 'answer',
          attempt: this.#attempt,
          durationMs,
          model: shorten(model, 60),
          stopReason,
          salvaged: entry.salvaged === true,
          text,
        })
        if (turn) for (const block of content) if (block.type === 'tool_use') this.#called(turn, block, entry)
        return undefined
      }
      case 'tool-started': {
        const call = this.#calls.get(entry.toolUseId)
        if (turn && call?.hasBegun) {
          call.step = againStep(call.step, entry)
          turn.steps.push(call.step)
        } else if (call) call.hasBegun = true
        return undefined
      }
      case 'tool-finished':
        this.#settle(entry.toolUseId, entry)
        return undefined
      case 'step-started':
        return { kind: 'step', stepId: shorten(entry.stepId, 240), outcome: 'none' }
      case 'step-finished': {
        const stepId = shorten(entry.stepId, 240)
        const started = this.#steps.get(stepId)
        if (!started) return { kind: 'step', stepId, outcome: entry.outcome }
        started.outcome = entry.outcome
        return undefined
      }
      case 'fault-observed': {
        const { fault, decision } = entry
        const next =
          decision.kind === 'retry' ? decision.at : decision.kind === 'suspend' ? decision.retryAt : undefined
        return {
          kind: 'fault',
          fault: faultLabel(fault),
          message: shorten(fault.message ?? '', quoted),
          attempt: this.#attempt,
          durationMs: entry.at - this.#sentAt,
          decision: decision.kind,
          reason: shorten(reasonOf(decision), 240),
          waitMs: next === undefined ? null : Math.max(0, next - entry.at),
        }
      }
      case 'request-held':
        return { kind: 'held', reason: shorten(entry.reason, 240), waitMs: Math.max(0, entry.until - entry.at) }
      case 'rung-changed':
        return { kind: 'rung', model: shorten(entry.model, 60), reason: shorten(entry.reason, 240) }
      case 'transcript-repaired':
        return {
          kind: 'repaired',
          repairs: entry.repairs.map(({ rule, what }) => ({ rule: shorten(rule, 240), what: shorten(what, 240) })),
        }
      case 'repairs-reverted':
        return { kind: 'repairs-reverted', reason: shorten(entry.reason, 240) }
      case 'turn-continued': {
        // A loop that runs its own calls sends their results in a message.
        for (const result of entry.messages.flatMap(resultsIn)) {
          this.#settle(String(result['tool_use_id']), { at: entry.at, result, outcome: 'ran' })
        }
        const added = entry.messages.filter((message) => resultsIn(message).length < message.content.length)
        // The question was reworded before anybody answered it.
        const isSaidOtherwise =
          turn?.steps.at(-1)?.kind === 'rewound' && !turn.steps.some(({ kind }) => kind === 'answer')
        if (isSaidOtherwise) turn.message = wordsIn(added)
        return added.length > 0 ? { kind: 'added', messages: added.length } : undefined
      }
      case 'session-suspended':
        return { kind: 'suspended', reason: entry.reason, detail: shorten(entry.detail, 240) }
      case 'session-resumed':
        return {
          kind: 'resumed',
          host: shorten(entry.owner.host, 80),
          pid: entry.owner.pid,
          refolded: entry.refolded === true,
        }
      case 'rewound':
        return { kind: 'rewound', to: entry.lastGoodTurn, turn: entry.turn, reason: shorten(entry.reason, 240) }
      case 'session-forked': {
        const { sessionId, seq } = entry.origin
        return { kind: 'forked', from: shorten(sessionId, 128), entry: seq, reason: shorten(entry.reason, 240) }
      }
      case 'session-imported':
        return { kind: 'imported', from: shorten(entry.sessionId, 128), entries: entry.entries }
      case 'retention-changed':
        return { kind: 'retention', ttlMs: entry.ttlMs, pinned: entry.pinned }
      default:
        return undefined
    }
  }

  #called(turn: TurnReport, block: Block, { seq, at }: Entry): void {
    const [name, input] = [shorten(String(block['name']), 60), inputLabel(block['input'], quoted)]
    const step: StepOf<'tool'> = { seq, at: iso(at), kind: 'tool', name, input, ...nothingYet }
    turn.steps.push(step)
    this.#calls.set(String(block['id']), { step, hasBegun: false })
  }

  #settle(toolUseId: string, entry: Pick<Entry & { type: 'tool-finished' }, 'at' | 'result' | 'outcome'>): void {
    const step = this.#calls.get(toolUseId)?.step
    if (!step) return
    const isError = entry.result['is_error'] === true
    step.outcome = entry.outcome === 'ran' || entry.outcome === 'verified' ? (isError ? 'error' : 'ok') : entry.outcome
    step.durationMs = entry.at - Date.parse(step.at)
    step.result = shorten(textOf(entry.result['content']), quoted)
  }
}

/** The sums over all turns. */
export function totalsOf(turns: readonly TurnReport[]): SessionDocument['totals'] {
  const sum = (count: (turn: TurnReport) => number) => turns.reduce((total, turn) => total + count(turn), 0)
  return {
    requests: sum(({ requests }) => requests),
    faults: sum(({ faults }) => faults),
    tools: sum(({ tools }) => tools),
    tokens: {
      input: sum(({ tokens }) => tokens.input),
      cacheRead: sum(({ tokens }) => tokens.cacheRead),
      output: sum(({ tokens }) => tokens.output),
    },
  }
}

type Distribute<T> = T extends unknown ? Omit<T, 'seq' | 'at'> : never
type DistributedStep = Distribute<Step>

interface Call {
  step: StepOf<'tool'>
  hasBegun: boolean
}

const nothingYet = { outcome: 'none', durationMs: null, result: '' } as const

/** The same call, run once more; the earlier run stays without a result. */
function againStep(before: StepOf<'tool'>, { seq, at }: Entry): StepOf<'tool'> {
  return { ...before, seq, at: iso(at), ...nothingYet, again: true }
}

function resultsIn({ content }: Message): readonly Block[] {
  return typeof content === 'string' ? [] : content.filter(({ type }) => type === 'tool_result')
}

function newTurn({ turn, agent, messages, at }: Entry & { type: 'turn-started' }, inherited: boolean): TurnReport {
  return {
    turn,
    state: 'open',
    inherited,
    agent: agent ?? null,
    startedAt: iso(at),
    endedAt: null,
    durationMs: 0,
    requests: 0,
    faults: 0,
    tools: 0,
    tokens: { input: 0, cacheRead: 0, output: 0 },
    message: wordsIn(messages),
    steps: [],
  }
}

function wordsIn(messages: readonly Message[]): string {
  // A client that continues an earlier conversation sends all of it; what it says now follows the last answer.
  const said = messages.slice(messages.findLastIndex(({ role }) => role === 'assistant') + 1)
  return shorten(firstWordsIn(said) ?? '', quoted)
}

function addTokens(tokens: Tokens, usage: Usage): void {
  const { input, cacheRead, output } = tokensIn(usage)
  tokens.input += input
  tokens.cacheRead += cacheRead
  tokens.output += output
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  const blocks: readonly Block[] = content
  return blocks.flatMap((block) => (block.type === 'text' ? [String(block['text'])] : [])).join(' ')
}

/** What a decision says beyond its kind. */
function reasonOf(decision: Decision): string {
  if ('reason' in decision) return decision.reason
  return decision.kind === 'repair' ? decision.rule : ''
}
