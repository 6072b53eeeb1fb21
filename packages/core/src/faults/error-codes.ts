/**
 * What the codes, types and statuses of the API's errors mean. https://platform.claude.com/docs/en/api/errors
 *
 * 1. A code takes precedence over a text, a text over a type, a type over a status.
 * 2. Each known code has a row, even where its status alone would say the same.
 * 3. Repairs are named here where the code says what is broken; they are a proposal, within the budgets of
 *    `policy/options.ts`.
 */
import type { FaultKind } from './fault-kinds.ts'
import type { RuleName } from '../repair/refused/refusal-rules.ts'

export interface Meaning {
  readonly kind: FaultKind
  /** Rules that can mend the request, gentlest first. */
  readonly repairs?: readonly RuleName[]
}

const is = (kind: FaultKind, ...repairs: readonly RuleName[]): Meaning =>
  repairs.length === 0 ? { kind } : { kind, repairs }

/** By `error.details.error_code`. */
export const meaningOfCode: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  // Money and rates.
  ['enforced_spend_limit_reached', is('spend-blocked')],
  ['contract_spend_limit_reached', is('spend-blocked')],
  ['linked_organization_spend_limit_reached', is('spend-blocked')],
  ['linked_organization_billing_unavailable', is('spend-blocked')],
  ['ramp_limit_exceeded', is('rate-limited')],
  // Accounts and keys: what a person has to change.
  ['organization_on_hold', is('auth-blocked')],
  ['organization_type_not_supported', is('auth-blocked')],
  ['parent_organization_required', is('auth-blocked')],
  ['api_key_scope_missing', is('auth-blocked')],
  ['claude_code_key_creator_not_member', is('auth-blocked')],
  ['cmek_key_disabled', is('auth-blocked')],
  ['cmek_key_network_blocked', is('auth-blocked')],
  ['sandbox_egress_restricted', is('config')],
  ['claude_code_version_too_old', is('config')],
  // The server's own trouble.
  ['cmek_context_unavailable', is('server-transient')],
  ['cmek_key_unreachable', is('server-transient')],
  ['compaction_unavailable', is('compaction-unavailable')],
  // The upload was too slow: the network's fault, not the request's.
  ['request_body_timeout', is('server-transient')],
  // Size.
  ['request_body_too_large_after_decoding', is('too-large', 'shrink-images', 'shorten-old-results')],
  ['image_dimensions_too_large', is('image-rejected', 'remove-images')],
  // What the server held for us. Every request carries the whole conversation, so it can go on without.
  ['thread_not_found', is('server-object-lost', 'drop-thread')],
  ['thread_already_continued', is('server-object-lost', 'drop-thread')],
  ['thread_continue_in_flight', is('server-object-lost', 'drop-thread')],
  ['thread_fingerprint_mismatch', is('server-object-lost', 'drop-thread')],
  ['thread_unsupported_request', is('server-object-lost', 'drop-thread')],
  ['file_expired', is('server-object-lost', 'drop-files')],
  ['file_not_found', is('server-object-lost', 'drop-files')],
  ['container_expired', is('server-object-lost', 'drop-container')],
  ['container_not_found', is('server-object-lost', 'drop-container')],
  // Tools.
  ['tool_name_conflict', is('params-incompatible', 'tool-names')],
  ['available_tools_limit_exceeded', is('params-incompatible')],
  ['organization_not_enrolled_in_beta', is('params-incompatible', 'drop-params', 'drop-newest-beta')],
  ['tool_reference_unresolved', is('transcript-invalid')],
  // Compaction blocks: the recorded answer holds them as they were signed.
  ['compaction_block_ambiguous', is('transcript-invalid', 'restore-thinking')],
  ['compaction_block_misplaced', is('transcript-invalid', 'restore-thinking')],
  ['compaction_content_mismatch', is('transcript-invalid', 'restore-thinking')],
  ['compaction_signature_invalid', is('transcript-invalid', 'restore-thinking')],
  ['compaction_tool_changes_mismatch', is('transcript-invalid')],
  // A request to compact that cannot be met: the conversation itself is sound.
  ['compaction_incomplete_turn', is('request-rejected')],
  ['compaction_nothing_to_summarize', is('request-rejected')],
  ['compaction_too_many_tool_references', is('request-rejected')],
  // The client's way of sending.
  ['request_body_encoding_invalid', is('request-rejected')],
  ['request_body_encoding_unsupported', is('request-rejected')],
  ['unsupported_charset', is('request-rejected')],
])

/** Types that say more than the status they come with. */
export const meaningOfType: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['overloaded_error', is('overloaded')],
  ['billing_error', is('spend-blocked')],
  // LiteLLM's, with a 400 or a 429: https://docs.litellm.ai/docs/proxy/users
  ['budget_exceeded', is('spend-blocked')],
  ['rate_limit_error', is('rate-limited')],
  ['request_too_large', is('too-large', 'shrink-images', 'shorten-old-results')],
])

export const meaningOfStatus: ReadonlyMap<number, Meaning> = new Map<number, Meaning>([
  // Moved for good: the base URL is wrong. A temporary redirect is a portal, which lets requests through after a login.
  [301, is('config')],
  [308, is('config')],
  [400, is('request-rejected')],
  [401, is('auth-blocked')],
  [402, is('spend-blocked')],
  [403, is('auth-blocked')],
  [404, is('request-rejected')],
  [407, is('config')],
  // 408 and 409 are retried by Anthropic's own SDKs; 425 by definition asks to send again.
  [408, is('server-transient')],
  [409, is('server-transient')],
  [413, is('too-large', 'shrink-images', 'shorten-old-results')],
  [422, is('request-rejected')],
  // Amazon's word for a model that failed: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
  [424, is('server-transient')],
  [425, is('server-transient')],
  [429, is('rate-limited')],
  // We did not close the connection, so something between did: https://github.com/anthropics/claude-code/issues/8591
  [499, is('server-transient')],
  [529, is('overloaded')],
])
