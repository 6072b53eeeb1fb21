/**
 * What others do about the same outage: the SDK's own retries, and Claude Code's. Only their policies, played by simple
 * loops; a session that has ended is not started again.
 *
 * - The SDK: https://github.com/anthropics/anthropic-sdk-typescript/blob/main/src/client.ts: two retries of 408, 409, 429,
 *   5xx and of connections that fail, after 0.5 s * 2^n, at most 8 s, minus up to 25 %. A break after the first byte of
 *   an answer is an error. Node's fetch ends a request that is silent for 300 s; pings keep it alive for ever.
 * - Claude Code: https://code.claude.com/docs/en/errors: ten retries while nothing of the answer is complete, a stalled
 *   stream once, no retry of other 4xx. Its waits, as it shows them (https://github.com/anthropics/claude-code/issues/2919):
 *   0.5 s * 2^n, at most 32 s, plus up to 25 %. It has a fallback model in runs in which lastgood has a ladder.
 */
import type { Fault } from '@lastgood/outage-lab'

export interface Failed {
  readonly fault: Fault
  /** Failures of this step before this one, and stalls among them. */
  readonly retries: number
  readonly stalls: number
  readonly random: number
}

export type Verdict =
  | { readonly kind: 'retry'; readonly afterMs: number }
  /** By the fallback model, for the rest of the turn. */
  | { readonly kind: 'fall-back' }
  | { readonly kind: 'give-up'; readonly afterMs: number }
  /** It waits for an answer that never ends. */
  | { readonly kind: 'hang' }

export type PlainPolicy = (failed: Failed) => Verdict

const silenceMs = 300_000
const isRetried = (status: number): boolean => [408, 409, 429].includes(status) || status >= 500

export const sdkPolicy: PlainPolicy = ({ fault, retries, random }) => {
  const afterMs = Math.min(500 * 2 ** retries, 8000) * (1 - random / 4)
  const again = (pauseMs: number): Verdict =>
    retries < 2 ? { kind: 'retry', afterMs: pauseMs + afterMs } : { kind: 'give-up', afterMs: pauseMs }
  if (fault.kind === 'status' && isRetried(fault.status)) return again(0)
  if (fault.kind === 'reset') return again(0)
  if (fault.kind !== 'stall') return { kind: 'give-up', afterMs: 0 }
  if (fault.after === 'before-headers') return again(silenceMs)
  return fault.pings ? { kind: 'hang' } : { kind: 'give-up', afterMs: silenceMs }
}

const byteSilenceMs = 180_000

export const claudeCodePolicy: PlainPolicy = ({ fault, retries, stalls, random }) => {
  const afterMs = Math.min(500 * 2 ** retries, 32_000) * (1 + random / 4)
  const again = (pauseMs: number): Verdict =>
    retries < 10 ? { kind: 'retry', afterMs: pauseMs + afterMs } : { kind: 'give-up', afterMs: pauseMs }
  if (fault.kind === 'withdrawn') return { kind: 'fall-back' }
  // A spend limit: reported at once.
  if (fault.kind === 'status')
    return isRetried(fault.status) && !fault.errorCode ? again(0) : { kind: 'give-up', afterMs: 0 }
  if (fault.kind !== 'stall') return again(0)
  const pauseMs = fault.pings ? silenceMs : byteSilenceMs
  if (fault.after === 'before-headers') return again(pauseMs)
  return stalls < 1 ? again(pauseMs) : { kind: 'give-up', afterMs: pauseMs }
}
