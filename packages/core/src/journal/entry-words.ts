/** The words that fields of entries choose from, for the schemas (`journal.ts`) and the quick checks (`entry-check.ts`). */

/** What to do on resume with a call that started and has no result: run it again, tell the model, ask a person. */
export const inDoubtRules = ['rerun', 'report', 'ask'] as const

/**
 * `ran`: the tool returned. `verified`: its process died, and the tool itself later told what came of the call.
 * `in-doubt`: the outcome is unknown and the model is told so. `refused`: not run.
 */
export const toolOutcomes = ['ran', 'verified', 'in-doubt', 'refused'] as const

/** `failed`: it threw. The rest as for tools. */
export const stepOutcomes = ['ran', 'verified', 'failed', 'in-doubt'] as const

/** `exhausted`: held for longer than the policy waits. */
export const suspendReasons = ['interrupted', 'needs-input', 'exhausted'] as const

/** How `data` of a sealed entry was made: `deflate` has no dictionary (versions 1, 2), `deflate-1` the first one. */
export const sealedCodecs = ['deflate', 'deflate-1', 'zstd', 'aes-256-gcm'] as const
