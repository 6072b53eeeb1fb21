/**
 * How a command fails: an `error:` line, what caused it, and the next command, on stderr; with `--json` an object on
 * stdout as well. Set-up errors of the command line have a class of their own, so that core keeps to its codes.
 */
import { isLastgoodError, withoutSecrets, type ErrorCode, type ErrorOptions } from '@lastgood/core'
import { builtFile } from './built.ts'
import type { CliContext } from './context.ts'
import { exitCodeOf, exitCodes } from './exit-codes.ts'
import { atSamePlace } from './same-place.ts'
import { jsonLine, safeCommand, safeLine } from './text.ts'

/** The configuration file, or what it holds, cannot be used. */
export class ConfigError extends Error {
  readonly code = 'bad-config'
  readonly hint: string

  constructor(message: string, { hint, cause }: Omit<ErrorOptions, 'details'>) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'ConfigError'
    this.hint = hint
  }
}

export interface Failure {
  code: string
  message: string
  causes: string[]
  hint: string | undefined
  /** The page about it, in this package. */
  docs: string | undefined
  details: Readonly<Record<string, unknown>>
  exitCode: number
  /** Only of an unexpected error: where it happened says more than its message. */
  stack: string | undefined
}

/** What the SDK throws, before it sends anything, for a client without a key. */
const keyless = 'Could not resolve authentication method'
const givesKey = 'export ANTHROPIC_API_KEY, or give the client of the agent its key; then the same command again'

/** `argv`: the arguments of the command line, so that the commands in the hint act on the same store. */
export function failureOf(error: unknown, argv: readonly string[] = []): Failure {
  const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined }
  // An error from elsewhere may quote the address, the header or the setting that it failed on.
  const base = { message: withoutSecrets(message), causes: causesOf(error) }
  if (isLastgoodError(error)) {
    const { code, hint, details } = error
    // The message says why, and the API's answer may quote the conversation.
    const causes = code === 'request-failed' ? [] : base.causes
    const next = hint === undefined ? undefined : atSamePlace(hint, argv)
    return {
      ...base,
      causes,
      code,
      hint: next,
      docs: errorPage(code),
      details,
      exitCode: exitCodeOf(error),
      stack: undefined,
    }
  }
  const other = { ...base, docs: undefined, details: {} }
  if (error instanceof ConfigError) {
    return { ...other, code: error.code, hint: error.hint, exitCode: exitCodes.setUp, stack: undefined }
  }
  if (message.startsWith(keyless)) {
    return { ...other, code: 'bad-config', hint: givesKey, exitCode: exitCodes.setUp, stack: undefined }
  }
  const masked = stack === undefined ? undefined : withoutSecrets(stack)
  return { ...other, code: 'unexpected', hint: undefined, exitCode: exitCodes.failed, stack: masked }
}

/** The path of the page about errors of this code. */
export const errorPage = (code: ErrorCode): string => builtFile(`errors/${code}.md`)

/** Reports `error` and returns the exit code. */
export function reportFailure(context: CliContext, error: unknown, json: boolean): number {
  const failure = failureOf(error, context.argv)
  writeFailure(context, failure)
  if (json) writeFailureJson(context, failure)
  return failure.exitCode
}

/** As a document of its own. */
export function writeFailureJson({ stdout }: CliContext, failure: Omit<Failure, 'stack'>): void {
  stdout.write(jsonLine({ schema: 'lastgood.error/v1', ...failureJson(failure) }))
}

export function writeFailure({ stderr, env }: CliContext, { message, causes, hint, docs, stack }: Failure): void {
  stderr.write(`error: ${safeLine(message)}\n`)
  for (const cause of causes) stderr.write(`  cause: ${cause}\n`)
  if (hint !== undefined) stderr.write(`  next: ${safeCommand(hint)}\n`)
  if (docs !== undefined) stderr.write(`  more: ${docs}\n`)
  if (stack === undefined) return
  if (env['LASTGOOD_DEBUG']) stderr.write(`${stack}\n`)
  else stderr.write('  next: the same with LASTGOOD_DEBUG=1 shows where it happened\n')
}

/** For a command that has shown what it could: reports what it could not show, and makes the command end with that. */
export function endWith(context: CliContext, failure: Failure | undefined): void {
  if (!failure) return
  writeFailure(context, failure)
  context.setExitCode(failure.exitCode)
}

/** The failure as programs get it. */
export function failureJson({ code, message, causes, hint, docs, details, exitCode }: Omit<Failure, 'stack'>): object {
  return { error: { code, message, causes, hint: hint ?? null, docs: docs ?? null, details }, exitCode }
}

function causesOf(error: unknown): string[] {
  const causes: string[] = []
  let cause = error instanceof Error ? error.cause : undefined
  for (; cause !== undefined && causes.length < 4; cause = cause instanceof Error ? cause.cause : undefined) {
    const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : ''
    const text = safeLine(
      cause instanceof Error
        ? `${cause.name}: ${withoutSecrets(cause.message)}`
        : 'something that is not an Error was thrown',
    ).slice(0, 300)
    causes.push(text.includes(code.slice(2, -1)) ? text : text + code)
  }
  return causes
}
