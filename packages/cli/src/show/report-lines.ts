/** The report as lines for people. Pure. */
import type { Step, StepOf, Tokens, TurnReport } from '@lastgood/dashboard'
import { ago, spent } from '../durations.ts'
import { compact, counted } from '../numbers.ts'
import type { Palette } from '../terminal.ts'
import { joined, shorten } from '../text.ts'
import { totalsOf, type SessionReport } from './report.ts'

export function turnLines(turn: TurnReport, now: number, columns: number, palette: Palette): string[] {
  const { bold, dim, green, yellow, red } = palette
  const paint = { ended: green, open: yellow, rewound: red }[turn.state]
  const facts = [
    spent(turn.durationMs),
    counted(turn.requests, 'request'),
    turn.faults > 0 && counted(turn.faults, 'fault'),
    turn.tools > 0 && counted(turn.tools, 'tool call'),
    tokensText(turn.tokens),
    ago(Date.parse(turn.startedAt), now),
    turn.inherited && 'inherited',
  ]
  const head = `${bold(`turn ${turn.turn}`)} ${paint(turn.state)} ${dim(joined(facts))}`
  const message = turn.message === '' ? [] : [dim(`  > ${shorten(turn.message, columns - 6)}`)]
  return [head, ...message, ...stepLines(turn.steps, columns, palette)]
}

export function stepLines(steps: readonly Step[], columns: number, palette: Palette): string[] {
  return steps.map((step) => `  ${line(step, columns - 4, palette)}`)
}

export function totalsLine({ turns }: SessionReport): string {
  const { requests, faults, tools, tokens } = totalsOf(turns)
  const counts = [counted(requests, 'request'), counted(faults, 'fault'), counted(tools, 'tool call')]
  return joined([...counts, tokensText(tokens)])
}

function line(step: Step, columns: number, palette: Palette): string {
  const { green, red, yellow, dim } = palette
  switch (step.kind) {
    case 'answer': {
      const note = step.salvaged ? yellow(' (cut; what was complete was kept)') : ''
      const text = step.text === '' ? dim(`(${step.stopReason ?? 'no stop reason'})`) : shorten(step.text, columns - 20)
      return `${green('◆')} ${text}${note} ${dim(spent(step.durationMs))}`
    }
    case 'tool':
      return toolLine(step, columns, palette)
    case 'fault': {
      const wait = step.waitMs === null ? '' : ` ${spent(step.waitMs)}`
      const text = [step.message, step.reason].find((one) => one !== '')
      const mark = step.decision === 'suspend' || step.decision === 'fail' ? red('✖') : yellow('↻')
      return `${mark} ${step.fault} at attempt ${step.attempt} → ${step.decision}${wait}${text === undefined ? '' : dim(`: ${shorten(text, columns - 30)}`)}`
    }
    case 'held':
      return `${yellow('‖')} held ${spent(step.waitMs)}: ${shorten(step.reason, columns - 16)}`
    case 'rung':
      return `${yellow('⇄')} ${step.model} takes over: ${shorten(step.reason, Math.max(20, columns - 16 - step.model.length))}`
    case 'repaired': {
      // The rules come last: their arguments are long, and what was done has to stay visible.
      const rules = step.repairs.map(({ rule }) => rule).join(', ')
      const done = step.repairs.map(({ what }) => what).join('; ')
      return `${yellow('✚')} request repaired: ${shorten(`${done} (${rules})`, columns - 20)}`
    }
    case 'repairs-reverted':
      return `${yellow('↶')} repairs taken back: ${step.reason}`
    case 'added':
      return dim(`+ ${counted(step.messages, 'message')} from the caller`)
    case 'suspended':
      return `${yellow('‖')} suspended (${step.reason}): ${step.detail}`
    case 'resumed':
      return `${green('▸')} resumed by pid ${step.pid} on ${step.host}${step.refolded ? ', journal replayed' : ''}`
    case 'rewound':
      return `${yellow('↶')} went back ${step.turn > step.to ? `inside turn ${step.turn}` : `to turn ${step.to}`}: ${step.reason}`
    case 'step': {
      const paint = { ran: green, verified: green, failed: red, 'in-doubt': yellow, none: yellow }[step.outcome]
      const outcome = step.outcome === 'none' ? 'started, no result' : step.outcome
      return `◇ step ${shorten(step.stepId, columns - 30)} ${paint(outcome)}`
    }
    case 'forked':
      return `${green('⑂')} forked from ${step.from}, entry ${step.entry}: ${shorten(step.reason, columns - 30)}`
    case 'imported':
      return `${green('▸')} imported, ${counted(step.entries, 'entry', 'entries')} of ${step.from}`
    case 'retention': {
      const time = step.ttlMs === null ? 'until pruned' : `for ${spent(step.ttlMs)} after its last entry`
      return dim(step.pinned ? 'kept: pinned' : `kept ${time}`)
    }
  }
}

function toolLine(
  { name, input, outcome, durationMs, result, again }: StepOf<'tool'>,
  columns: number,
  palette: Palette,
): string {
  const { green, red, yellow, dim } = palette
  const words = {
    ok: green('✔'),
    error: red('✖'),
    'in-doubt': yellow('? outcome unknown, not repeated:'),
    refused: red('✖ not run:'),
    none: yellow('… no result:'),
  }
  const time = durationMs === null || outcome === 'in-doubt' ? '' : dim(` ${spent(durationMs)}`)
  const shown = outcome === 'error' && result !== '' ? dim(`: ${shorten(result, Math.max(20, columns - 60))}`) : ''
  const once = again ? yellow(' ran again, same key') : ''
  return `${words[outcome]} ${name} ${shorten(input, Math.max(20, columns - 40))}${once}${time}${shown}`
}

function tokensText({ input, cacheRead, output }: Tokens): string {
  if (input + output === 0) return ''
  const share = input === 0 ? 0 : Math.round((cacheRead / input) * 100)
  return `${compact(input)} tokens in (${share} % from cache), ${compact(output)} out`
}
