/** A step of a session in words, as `lastgood show` has them. Pure; text from outside is made visible. */
import type { Step, StepOf } from '../../src/turn-report.ts'
import { spent } from '../../src/durations.ts'
import { counted } from '../words/numbers.ts'
import { visibleLine } from '../../src/visible-text.ts'

export interface StepWords {
  mark: string
  /** The kind of thing, for its colour. */
  tone: 'good' | 'bad' | 'warn' | 'plain'
  what: string
  detail: string
}

export function stepWords(step: Step): StepWords {
  switch (step.kind) {
    case 'answer': {
      const cut = step.salvaged ? 'cut; what was complete was kept' : ''
      const text = visibleLine(step.text)
      const detail = [
        visibleLine(step.model),
        cut,
        text === '' ? `(${visibleLine(step.stopReason ?? 'no stop reason')})` : text,
      ]
      return {
        mark: '█',
        tone: 'good',
        what: step.attempt > 1 ? `answer at attempt ${step.attempt}` : 'answer',
        detail: joined(detail),
      }
    }
    case 'tool':
      return toolWords(step)
    case 'fault':
      return faultWords(step)
    case 'held':
      return { mark: '‖', tone: 'warn', what: `held ${spent(step.waitMs)}`, detail: visibleLine(step.reason) }
    case 'rung':
      return {
        mark: '⇄',
        tone: 'warn',
        what: `${visibleLine(step.model)} takes over`,
        detail: visibleLine(step.reason),
      }
    case 'repaired': {
      const done = step.repairs.map(({ what }) => visibleLine(what)).join('; ')
      return {
        mark: '✚',
        tone: 'warn',
        what: 'request repaired',
        detail: `${done} (${step.repairs.map(({ rule }) => visibleLine(rule)).join(', ')})`,
      }
    }
    case 'repairs-reverted':
      return { mark: '↶', tone: 'warn', what: 'repairs taken back', detail: visibleLine(step.reason) }
    case 'added':
      return { mark: '+', tone: 'plain', what: `${counted(step.messages, 'message')} from the caller`, detail: '' }
    case 'suspended':
      return {
        mark: '■',
        tone: 'warn',
        what: `suspended (${visibleLine(step.reason)})`,
        detail: visibleLine(step.detail),
      }
    case 'resumed':
      return {
        mark: '▶',
        tone: 'good',
        what: 'resumed',
        detail: `by pid ${step.pid} on ${visibleLine(step.host)}${step.refolded ? ', journal replayed' : ''}`,
      }
    case 'rewound':
      return {
        mark: '↶',
        tone: 'warn',
        what: `went back ${step.turn > step.to ? `inside turn ${step.turn}` : `to turn ${step.to}`}`,
        detail: visibleLine(step.reason),
      }
    case 'step': {
      const tones = { ran: 'good', verified: 'good', failed: 'bad', 'in-doubt': 'warn', none: 'warn' } as const
      const outcome = step.outcome === 'none' ? 'started, no result' : step.outcome
      return { mark: '◇', tone: tones[step.outcome], what: `step ${outcome}`, detail: visibleLine(step.stepId) }
    }
    case 'forked':
      return {
        mark: '⑂',
        tone: 'good',
        what: `forked from ${visibleLine(step.from)}`,
        detail: joined([`entry ${step.entry}`, visibleLine(step.reason)]),
      }
    case 'imported':
      return {
        mark: '▶',
        tone: 'good',
        what: 'imported',
        detail: `${counted(step.entries, 'entry', 'entries')} of ${visibleLine(step.from)}`,
      }
    case 'retention': {
      const time = step.ttlMs === null ? 'until pruned' : `for ${spent(step.ttlMs)} after its last entry`
      return {
        mark: '·',
        tone: 'plain',
        what: step.pinned ? 'pinned' : 'kept',
        detail: step.pinned ? 'forever' : time,
      }
    }
  }
}

/** `529` of `529 overloaded_error`; without a number, the fault's text, shortened. */
export function faultCode(fault: string): string {
  return /^\d{3}\b/.exec(fault)?.[0] ?? visibleLine(fault).slice(0, 14)
}

function faultWords(step: StepOf<'fault'>): StepWords {
  const after = step.waitMs === null ? '' : ` after ${spent(step.waitMs)}`
  const words = {
    retry: `next try${after}`,
    resend: 'sent again at once',
    repair: 'repaired',
    fallback: 'another model',
    'keep-and-continue': 'continued from what was complete',
    suspend: after === '' ? 'suspended' : `suspended; worth a try${after}`,
    fail: 'reported at once',
  }
  return {
    mark: '✖',
    tone: 'bad',
    what: `${visibleLine(step.fault)} at attempt ${step.attempt}`,
    detail: joined([`→ ${words[step.decision]}`, visibleLine(step.message), visibleLine(step.reason)]),
  }
}

function toolWords(step: StepOf<'tool'>): StepWords {
  const [what, tone] = {
    ok: ['tool', 'good'],
    error: ['tool failed', 'bad'],
    'in-doubt': ['tool, outcome unknown', 'warn'],
    refused: ['tool, not run', 'warn'],
    none: ['tool, no result', 'warn'],
  }[step.outcome] as [string, StepWords['tone']]
  return {
    mark: step.outcome === 'in-doubt' || step.outcome === 'none' ? '?' : '▓',
    tone,
    what,
    detail: joined([visibleLine(step.name), visibleLine(step.input), visibleLine(step.result)]),
  }
}

const joined = (parts: readonly string[]): string => parts.filter((part) => part !== '').join(' · ')
