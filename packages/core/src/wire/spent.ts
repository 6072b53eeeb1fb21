/**
 * The cost of an answer that took several attempts, reported as the API does it: `usage` is that of the attempt that
 * answered, since callers read the size of their context from it, and `usage.iterations` has each one. The SDK's own
 * fallback (`betaRefusalFallbackMiddleware`) reports it in the same form.
 */
import type { AssistantMessage } from '../journal/journal.ts'
import { iterationsIn, type Usage } from '../journal/usage.ts'

export class Spent {
  readonly #before: Usage[] = []

  /** Adds an attempt whose answer does not count. A cost that it did not report is not guessed. */
  add({ usage, model }: { usage?: Usage | undefined; model: string }): void {
    if (usage) this.#before.push(...iterationsOf(usage, model))
  }

  /** The usage of the answer that counts; undefined where it is the only one that cost anything. */
  with({ usage = {}, model }: Pick<AssistantMessage, 'usage' | 'model'>): Usage | undefined {
    if (this.#before.length === 0) return undefined
    return { ...usage, iterations: [...this.#before, ...iterationsOf(usage, model)] }
  }
}

/** A single iteration, unless the API lists more: those of a tool that the server runs. */
function iterationsOf(usage: Usage, model: string): readonly Usage[] {
  const iterations = iterationsIn(usage)
  if (iterations.length > 0) return iterations
  const count = (name: string) => usage[name] ?? 0
  return [
    {
      type: 'message',
      model,
      input_tokens: count('input_tokens'),
      output_tokens: count('output_tokens'),
      cache_creation_input_tokens: count('cache_creation_input_tokens'),
      cache_read_input_tokens: count('cache_read_input_tokens'),
      cache_creation: usage['cache_creation'] ?? null,
    },
  ]
}
