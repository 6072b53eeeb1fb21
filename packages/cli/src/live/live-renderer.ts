/**
 * A session's events as a stream for people: turns, tools, the model's words as they come, and during an outage one
 * line.
 *
 * 1. "Recovered" is said when the answer is durable, not when its first word arrives.
 * 2. It keeps no process alive and changes nothing: time comes from the clock, text goes to one output.
 */
import type { Clock, Entry, SessionEvent, StatusPagePoller } from '@lastgood/core'
import type { Env, Output } from '../context.ts'
import { spent } from '../durations.ts'
import { counted } from '../numbers.ts'
import { faultLabel } from '../outages/outage-kinds.ts'
import { Troubles, type LiveTrouble, type StandingSession } from '../outages/trouble.ts'
import { terminalOf, type ColorMode } from '../terminal.ts'
import { safeLine, safeText } from '../text.ts'
import { OutageDisplay } from './outage-display.ts'
import { recoveredLine, savedAt } from './outage-line.ts'
import { Pen } from './pen.ts'
import { RunningCalls, type KnownCall } from './running-calls.ts'

export interface LiveOptions {
  output: Output
  clock: Clock
  /** For `NO_COLOR`, `FORCE_COLOR` and `TERM`. Default: none of them. */
  env?: Env
  /** Default `auto`. */
  color?: ColorMode
  /** Polled during an outage, for the end of its line. Default: no page is polled. */
  page?: Pick<StatusPagePoller, 'poll'> | undefined
  /** `outages`: only what goes wrong, for a program that shows turns, words and tools itself. Default: everything. */
  shows?: 'everything' | 'outages'
  /** Where the session stands before the first event; an opened session will do. Default: a new one. */
  from?: StandingSession & {
    readonly lastGoodTurn: number
    readonly transcript: { readonly unanswered: readonly KnownCall[] }
  }
}

export interface LiveRenderer {
  /** For `session.subscribe`. */
  onEvent(event: SessionEvent): void
  /** Removes the line being rewritten; nothing is written afterwards. */
  stop(): void
}

export function liveRenderer({
  output,
  clock,
  env = {},
  color = 'auto',
  page,
  shows = 'everything',
  from,
}: LiveOptions): LiveRenderer {
  const isAll = shows === 'everything'
  const terminal = terminalOf(output, env, color)
  const { palette, isLive } = terminal
  const pen = new Pen(output)
  const calls = new RunningCalls(palette, from?.transcript.unanswered ?? [])
  const troubles = from ? Troubles.from(from, clock.now()) : new Troubles()
  let lastGoodTurn = from?.lastGoodTurn ?? 0
  let model: string | undefined
  let turnStartedAt: number | undefined
  let hasWords = false
  let isStopped = false
  const session = () => ({ lastGoodTurn, model, live: troubles.live })
  const display = new OutageDisplay({ pen, terminal, clock, page, session })
  display.show()

  return {
    onEvent(event) {
      if (isStopped) return
      if (event.type === 'entry') return onEntry(event.entry)
      if (event.type === 'dropped') return isAll ? onDropped() : undefined
      if (event.type === 'in-doubt') return pen.line(calls.inDoubtLine(event))
      if (event.type === 'backfilled') {
        const lost = counted(event.entries, 'entry', 'entries')
        return pen.line(palette.yellow(`the store had lost ${lost}, and has them again`))
      }
      if (event.type !== 'delta' || event.kind !== 'text') return
      display.pause()
      // The program may show them, and be in the middle of a line.
      if (!isAll) return isLive ? pen.giveWay() : pen.rest()
      hasWords = true
      pen.words(safeText(event.text))
    },
    stop() {
      isStopped = true
      display.rest()
      pen.rest()
    },
  }

  function onDropped(): void {
    if (hasWords) pen.line(palette.dim('… (the answer broke off; these words do not count)'))
    hasWords = false
  }

  function onEntry(entry: Entry): void {
    if (entry.type === 'request-sent') ({ model } = entry)
    const over = troubles.take(entry)?.live
    if (!troubles.live) display.rest()
    switch (entry.type) {
      case 'turn-started':
        turnStartedAt = entry.at
        if (isAll) pen.line(palette.bold(`turn ${entry.turn}`))
        break
      case 'request-sent':
        // Without a terminal the next line says how it went.
        if (isLive) display.show()
        break
      case 'request-held':
        display.show()
        break
      case 'fault-observed':
        if (troubles.live) display.show()
        else {
          const failed = `API ${faultLabel(entry.fault)} · attempt ${troubles.attempt}`
          pen.line(`${palette.red('✖')} ${failed} · ${savedAt(lastGoodTurn)}`)
        }
        break
      case 'rung-changed': {
        const other = model === undefined || model === entry.model ? '' : ` from ${safeLine(model)}`
        pen.line(palette.yellow(`⇄ ${safeLine(entry.model)} takes the turn${other}: ${safeLine(entry.reason)}`))
        break
      }
      case 'transcript-repaired':
        for (const { what } of entry.repairs) {
          pen.line(palette.yellow(`✚ request repaired, and accepted: ${safeLine(what)}`))
        }
        break
      case 'response-received':
        onAnswer(entry, over)
        break
      case 'turn-ended':
        lastGoodTurn = entry.turn
        if (isAll) onTurnEnded(entry)
        break
      case 'rewound':
        lastGoodTurn = entry.lastGoodTurn
        pen.line(palette.yellow(`went back ${placeOf(entry)}: ${safeLine(entry.reason)}`))
        break
      case 'session-suspended':
        pen.line(palette.yellow(`suspended: ${safeLine(entry.detail)} · ${savedAt(lastGoodTurn)}`))
        break
      default: // shown as calls, or not at all
    }
    if (isAll) for (const line of calls.linesFor(entry)) pen.line(line)
  }

  function onAnswer(entry: Entry & { type: 'response-received' }, over: LiveTrouble | undefined): void {
    if (isAll) showWords(entry)
    if (entry.salvaged) pen.line(palette.dim('(the answer was cut; what was complete is kept)'))
    if (over) pen.line(`${palette.green('✔')} ${recoveredLine(over, lastGoodTurn, entry.at)}`)
  }

  function showWords({ message }: Entry & { type: 'response-received' }): void {
    if (!hasWords) {
      for (const { type, text } of message.content) if (type === 'text') pen.words(safeText(String(text)))
    }
    hasWords = false
    pen.rest()
  }

  function onTurnEnded({ turn, at }: Entry & { type: 'turn-ended' }): void {
    const time = turnStartedAt === undefined ? '' : palette.dim(` ${spent(at - turnStartedAt)}`)
    pen.line(`${palette.green('✔')} turn ${turn} is saved${time}`)
  }
}

const placeOf = ({ turn, lastGoodTurn }: Entry & { type: 'rewound' }): string =>
  turn > lastGoodTurn ? `inside turn ${turn}` : `to turn ${lastGoodTurn}`
