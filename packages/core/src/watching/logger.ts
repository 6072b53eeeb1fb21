/**
 * Log lines about a session: one for each change, with fields and a short message, without content.
 *
 *     openSession('fix-auth', { logger: pino() })
 *
 * 1. Fields are names, numbers and kinds. Names from outside (of a model, of a tool) are scrubbed here, at the source.
 * 2. Silent by default. A logger that throws or rejects is dropped with a warning, like any listener.
 */
import { formatDuration } from '../duration.ts'
import type { Happening } from './happening.ts'
import { Happenings } from './happenings.ts'
import { scrubbedFields } from './scrubbed.ts'
import type { Watcher } from './watcher.ts'

type Level = 'debug' | 'info' | 'warn' | 'error'

/** pino, or anything with the same four methods. */
export type Logger = Readonly<Record<Level, (fields: Record<string, unknown>, message: string) => unknown>>

/** `debug` also logs what goes well: turns, attempts and answers. */
export function logWatcher(logger: Logger): Watcher {
  return {
    opened(session, before) {
      const happenings = new Happenings(session, before)
      session.subscribe((event) => {
        const said = happenings.take(event).map((happening) => log(logger, session.id, happening))
        return said.some((one) => one instanceof Promise) ? Promise.all(said) : undefined
      })
    },
  }
}

function log(logger: Logger, sessionId: string, happening: Happening): unknown {
  const { kind, at: _at, ...fields } = happening
  const line = lineOf(happening)
  return line && logger[line.level](scrubbedFields({ sessionId, event: kind, ...dated(fields) }), line.message)
}

/** Instants as text: a bare number would be ambiguous. */
function dated(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      /^(until|retryAt|since)$/.test(name) && typeof value === 'number' ? new Date(value).toISOString() : value,
    ]),
  )
}

function lineOf(happening: Happening): { level: Level; message: string } | undefined {
  switch (happening.kind) {
    case 'attempt-failed':
      return { level: 'warn', message: `attempt ${happening.attempt} failed` }
    case 'waiting':
      return { level: 'info', message: `waiting ${formatDuration(Math.max(0, happening.until - happening.at))}` }
    case 'fallback':
      return {
        level: 'warn',
        message: happening.rung === 0 ? 'back to the first model' : 'another model takes over the turn',
      }
    case 'recovered':
      return { level: 'info', message: `recovered after ${formatDuration(happening.durationMs)}` }
    case 'repaired':
      return { level: 'info', message: 'the request was repaired' }
    case 'in-doubt':
      return { level: 'warn', message: 'a tool call was in doubt' }
    case 'step-in-doubt':
      return { level: 'warn', message: 'a step was in doubt' }
    case 'suspended':
      return { level: 'warn', message: 'suspended' }
    case 'failed':
      return { level: 'error', message: 'failed' }
    case 'resumed':
      return { level: 'info', message: 'resumed' }
    case 'rewound':
      return { level: 'info', message: 'rewound' }
    case 'backfilled':
      return { level: 'warn', message: 'the store had lost entries, which were appended again' }
    case 'turn-started':
      return { level: 'debug', message: `turn ${happening.turn} started` }
    case 'turn-ended':
      return { level: 'debug', message: `turn ${happening.turn} ended` }
    case 'attempt':
      return { level: 'debug', message: `attempt ${happening.attempt}` }
    case 'answered':
      return { level: 'debug', message: 'answered' }
    case 'waited':
      return undefined
  }
}
