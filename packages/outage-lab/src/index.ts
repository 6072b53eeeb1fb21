/**
 * A Messages API that fails as scripted and checks transcripts as strictly as the real one.
 *
 *   const lab = await startLab({
 *     model: story([reply([text('Looking.'), toolUse('read', { path: 'a.txt' })]), reply(text('Done.'))]),
 *     outages: [{ when: { request: 2 }, fault: { kind: 'status', status: 529 } }],
 *   })
 *   const client = new Anthropic({ baseURL: lab.url, apiKey: 'any' })
 *   // …
 *   lab.requests[1].outcome   // { kind: 'fault', status: 529, … }
 *   await lab.close()
 */
export { createLab, startLab, type Lab, type LocalLab } from './lab.ts'
export type { LabOptions, ModelFunction } from './options.ts'
export {
  outageSchema,
  type CutPoint,
  type Endpoint,
  type Fault,
  type FaultMix,
  type Outage,
  type When,
} from './outage.ts'
export { outageProfile, outageSpan, profileNames, type ProfileName, type ProfileOptions } from './profiles.ts'
export {
  redactedThinking,
  reply,
  serverToolResult,
  serverToolUse,
  text,
  thinking,
  toolUse,
  type Reply,
  type StopReason,
} from './reply.ts'
export { story, StoryError, type Expectation, type StepFunction, type StoryStep } from './story.ts'
export { assistantCount, lastToolResult, toolResults, userTurns, type ToolOutcome } from './queries.ts'
export type { Block, Conversation, Message } from './conversation.ts'
export type { Outcome, RecordedRequest, RequestBody, ServedMessage, Usage } from './record.ts'
export type { CacheEntry, InputUsage, PromptCache } from './cache.ts'
export { MODELS, modelCard, type ModelCard, type ModelHabits } from './models.ts'
export { checkRequest, type CheckOptions } from './check.ts'
export { signThinking, type SignOptions } from './sign-transcript.ts'
export { signCompaction } from './signature.ts'
export { RULES } from './rules/rules.ts'
export type { Rule } from './rules/rule.ts'
export type { Impact, StatusIncident, StatusPageOptions } from './status-page.ts'
export type { Chunking } from './delivery.ts'
export type { Sleep } from './exchange.ts'
export type { Container, ContainersMode, FilesMode } from './server-objects.ts'
export type { ApiError } from './api-error.ts'
