/**
 * The options of an interceptor. Bad ones throw at construction: a limit that is not a number would end each attempt at
 * once, and a misspelt name would have no effect.
 */
import { inDoubtRules } from '../journal/entry-words.ts'
import type { InDoubt } from '../journal/journal.ts'
import { validateLadder } from '../ladder/ladder.ts'
import { checksOf, type OptionChecks } from '../option-checks.ts'
import type { LadderRung } from './rungs.ts'
import { defaultLimits, type Limits } from './watchdog.ts'

export interface InterceptorOptions {
  /**
   * The rule recorded for a tool call when it is handed out; undefined for a tool that needs no intent because it is
   * safe to repeat. Default: `report` for every tool.
   */
  intentOf?: (toolName: string) => InDoubt | undefined
  /**
   * Which requests are recorded as the conversation. `true`: those that go on from it, not those that look like a
   * helper's (a title, a summary, a sub-agent). `always`: every Messages request. `false`: none, for a client of
   * helpers. Default true.
   */
  record?: boolean | 'always'
  /** When an answer counts as stalled; each default is documented there. */
  limits?: Partial<Limits>
  /**
   * Models, or other endpoints, that take over when the one before them cannot answer; made by `ladder(…)`. It serves
   * requests for a model that it names. Default: none.
   */
  ladder?: readonly LadderRung[]
  /** Name of the program that makes the requests, recorded with each turn for people. Default: none. */
  agent?: string
  /**
   * Whether the person is told that another model took over, in a line before its first words. The line is neither sent
   * on nor recorded. Default false.
   */
  tellsFallback?: boolean
  /** Gives headers with fresh credentials for the re-send after a 401. Default: the same headers again. */
  credentials?: () => Promise<Readonly<Record<string, string>>>
}

/** All present, except what has no default; of the limits, those that were set. */
export type ResolvedOptions = Required<Omit<InterceptorOptions, 'agent' | 'credentials'>> & {
  agent: string | undefined
  credentials: InterceptorOptions['credentials'] | undefined
}

// As an object, so that the compiler keeps it complete.
const optionNames: Record<keyof InterceptorOptions, true> = {
  intentOf: true,
  record: true,
  limits: true,
  ladder: true,
  agent: true,
  tellsFallback: true,
  credentials: true,
}
const { inRange, oneOf, badOption, assertFunctions, assertKnown }: OptionChecks = checksOf('Client')

/** Throws `bad-option`. */
export function resolveOptions(options: InterceptorOptions): ResolvedOptions {
  assertKnown(undefined, options, Object.keys(optionNames))
  const { intentOf, record = true, ladder = [], agent, tellsFallback = false, credentials } = options
  assertFunctions({ intentOf, credentials })
  if (agent !== undefined && typeof agent !== 'string') throw badOption('agent', agent, 'a text')
  if (!Array.isArray(ladder) || ladder.length > 0) validateLadder(ladder)
  return {
    intentOf: intentOf ? checkedIntentOf(intentOf) : () => 'report',
    record: oneOf('record', record, [true, false, 'always']),
    limits: checkedLimits(options.limits),
    ladder,
    agent,
    tellsFallback: oneOf('tellsFallback', tellsFallback, [true, false]),
    credentials,
  }
}

function checkedLimits(limits: Partial<Limits> = {}): Partial<Limits> {
  assertKnown('limits', limits, Object.keys(defaultLimits))
  const set = Object.entries(limits).filter(([, value]) => value !== undefined)
  for (const [name, value] of set) inRange(`limits.${name}`, value, 1, Infinity)
  return Object.fromEntries(set)
}

function checkedIntentOf(own: NonNullable<InterceptorOptions['intentOf']>): typeof own {
  return (toolName) => {
    const rule = own(toolName)
    return rule === undefined ? rule : oneOf(`intentOf of ${toolName}`, rule, inDoubtRules)
  }
}
