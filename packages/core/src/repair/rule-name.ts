/**
 * The names of the rules for requests. Journals contain them (`Decision.rule`, `transcript-repaired`), so a name is
 * never given to another rule.
 */

export type RuleName =
  // Applied before sending, from what is known of the model.
  | 'cache-markers'
  | 'cache-ttl'
  | 'tool-names'
  | 'images'
  | 'extra-fields'
  | 'max-tokens'
  | 'thinking-config'
  | 'tool-choice'
  | 'sampling'
  // Applied only because the API refused the request, or because of its answer.
  | 'restore-thinking'
  | 'drop-block'
  | 'strip-thinking'
  | 'thinking-off'
  | 'drop-field'
  | 'drop-block-field'
  | 'block-as-text'
  | 'unreadable-results'
  | 'remove-images'
  | 'clamp-max-tokens'
  | 'fit-max-tokens'
  | 'raise-max-tokens'
  | 'drop-params'
  | 'drop-container'
  | 'name-container'
  | 'drop-thread'
  | 'drop-files'
  | 'drop-newest-beta'
  | 'placeholder-last-results'
  | 'shorten-old-results'
  | 'shrink-images'
  | 'nudge'
  | 'convert-system'
  | 'continue-after-prefill'

/** The name without the argument: `drop-params` of `drop-params:temperature`. */
export const nameOfRule = (rule: string): string => rule.split(':', 1)[0] ?? rule
