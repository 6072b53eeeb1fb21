/**
 * What a server of the command line says on stderr: text for people, or JSON lines for log collectors.
 *
 * 1. With `json` every line is one pino object, even a warning of the process, and session events come from the
 *    gateway's logger.
 * 2. Lines hold no content, and secrets are masked before they come here; the paths below are the second net.
 */
import { LastgoodError, scrubbedFields, shellWord, withoutSecrets, type Logger } from '@lastgood/core'
import type { GatewayOptions } from '@lastgood/gateway'
import type { CliContext, Env } from '../context.ts'
import { Survived } from '../live/survived.ts'
import { atSamePlace } from '../same-place.ts'
import { safeLine } from '../text.ts'

export const logFormats = ['text', 'json'] as const
export type LogFormat = (typeof logFormats)[number]

export type Told = 'all' | 'the sum'

export interface Talk {
  /** The gateway options that listen to its sessions. */
  readonly heard: Pick<GatewayOptions, 'onEvent' | 'logger'>
  /** `text`: the same for people, in lines. */
  tell(message: string, fields: Record<string, unknown>, text: readonly string[]): void
  /** The sum, at the end. */
  sumUp(): void
}

/** The flag, then `LASTGOOD_LOG`, then text. Errors: `bad-option`. */
export function logFormatOf(flag: LogFormat | undefined, env: Env): LogFormat {
  const chosen = flag ?? (env['LASTGOOD_LOG'] || 'text')
  const format = logFormats.find((one) => one === chosen)
  if (format) return format
  throw new LastgoodError('bad-option', 'LASTGOOD_LOG must be text or json', {
    hint: 'leave it out for text',
    details: { field: 'LASTGOOD_LOG' },
  })
}

/** `the sum`: people are told nothing else. */
export async function talkOf(
  format: LogFormat,
  { stderr, argv, onWarning }: Pick<CliContext, 'stderr' | 'argv' | 'onWarning'>,
  told: Told = 'all',
): Promise<Talk> {
  const say = (line: string) => void stderr.write(`${line}\n`)
  const meanwhile = told === 'all' ? say : () => {}
  const logger = format === 'json' ? await jsonLogger((line) => stderr.write(line)) : undefined
  if (logger)
    onWarning(({ name, message, code }) =>
      logger.warn(scrubbedFields({ event: 'warning', kind: name, code }), withoutSecrets(message)),
    )
  // With a logger, the lines come from it, and only the sum is kept here.
  const survived = new Survived(logger ? () => {} : meanwhile)
  const tellBy =
    (line: (text: string) => void): Talk['tell'] =>
    (message, fields, text) =>
      logger ? logger.info(scrubbedFields(fields), message) : text.forEach((one) => line(one))
  return {
    heard: { onEvent: survived.take, ...(logger && { logger }) },
    tell: tellBy(meanwhile),
    sumUp() {
      // A command whose own settings name an address goes past the gateway.
      const sum = survived.count === 0 ? 'no conversation came through here' : survived.sum
      const sessions = survived.last(shownSessions)
      const more = survived.count - sessions.length
      const commands = sessions.map((id) => `lastgood show ${shellWord(safeLine(id))}`)
      if (more > 0) commands.push(`lastgood list --all  # ${more} more`)
      const lines = [sum, ...commands.map((command) => atSamePlace(`  ${command}`, argv))]
      tellBy(say)(`stopped: ${sum}`, { event: 'stopped', sessions }, lines)
    },
  }
}

/** With thousands, the sum would scroll away. */
const shownSessions = 20

const redacted = [
  'authorization',
  'apiKey',
  '*.authorization',
  '*.apiKey',
  '*.*.apiKey',
  'headers.cookie',
  'headers["x-api-key"]',
  'headers["x-lastgood-token"]',
]

async function jsonLogger(write: (line: string) => unknown): Promise<Logger> {
  // Loaded only here: most commands have no log.
  const { pino } = await import('pino')
  const options = {
    base: { name: 'lastgood', pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level: string) => ({ level }) },
    redact: { paths: redacted, censor: '[secret]' },
  }
  const logger: Logger = pino(options, { write: (line: string) => void write(line) })
  return logger
}
