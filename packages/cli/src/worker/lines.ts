/** A fleet event as a line for people. Pure. */
import type { FleetEvent } from '@lastgood/fleet'
import { left } from '../durations.ts'
import { safeLine } from '../text.ts'

/** `now`: epoch ms. */
export function lineOf(event: FleetEvent, now: number): string {
  if (event.kind === 'trouble') {
    const next = event.hint === undefined ? '' : `; next: ${safeLine(event.hint)}`
    return `${event.where}: ${safeLine(event.message)} (${event.code}); trying again${next}`
  }
  if (event.kind === 'trouble-over') return `${event.where}: working again`
  return `${safeLine(event.sessionId)}  ${safeLine(whatOf(event, now))}`
}

function whatOf(event: Exclude<FleetEvent, { kind: 'trouble' | 'trouble-over' }>, now: number): string {
  switch (event.kind) {
    case 'submitted':
      return `turn ${event.turn} queued for ${event.agent}`
    case 'started':
      return `turn ${event.turn} under way, ${event.agent}${event.starts > 1 ? `, start ${event.starts}` : ''}`
    case 'ended':
      return `✔ turn ${event.turn} is saved`
    case 'waiting':
      return `waits for ${left(event.until - now)}: ${event.reason}`
    case 'suspended':
      return `suspended: ${event.reason.replace(/\.$/, '')}${event.until === undefined ? '' : `; continues in ${left(event.until - now)}`}`
    case 'handed-over':
      return 'handed over to another worker'
    case 'lost':
      return 'has another writer now'
    case 'failed':
      return `its agent failed (${event.code}); again in ${left(event.againInMs)}`
    case 'set-aside':
      return `set aside after ${event.starts} starts that did not finish: lastgood resume ${event.sessionId}`
    case 'unreadable':
      return `cannot be read here (${event.code}): lastgood show ${event.sessionId}`
  }
}
