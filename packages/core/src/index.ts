/**
 * The core of lastgood: open a session, and what it records survives the process.
 *
 *     const session = await openSession('fix-auth')            // a local journal; or { store: redisStore(client) }
 *     const messages = session.messages()                      // everything up to the last durable step
 *     const reply = await session.run(agent, 'Make it green')  // or mount `intercept(session)` where requests are sent
 *
 * The Anthropic SDK's mount is in `@lastgood/anthropic`; stores are in `@lastgood/core/file` and `@lastgood/redis`.
 */
export { type FaultHistory, decide } from './policy/decide.ts'
export { type Policy, type PolicyOptions, type RuleOptions, defaultPolicy, resolvePolicy } from './policy/options.ts'
export { type Rule } from './policy/rules.ts'
export { isCut } from './journal/answer.ts'
export { type Wire, classify } from './faults/classify.ts'
export { answering } from './store/answering.ts'
export { withBlobs } from './store/blobs.ts'
export { inChunks, chunksOf } from './store/chunked.ts'
export { type Clock, type SleepOptions, systemClock } from './clock.ts'
export { type Continuation, continuationOf, meansTheSame } from './journal/continuation.ts'
export { answerText } from './journal/exact-inputs.ts'
export { assertContent, blocksOf } from './journal/message.ts'
export {
  type CacheLife,
  type TokenCounts,
  type Usage,
  billedUsage,
  cacheRates,
  costOf,
  costOfWriting,
  lostIn,
  readsIn,
  tokensIn,
} from './journal/usage.ts'
export { inDoubtRules } from './journal/entry-words.ts'
export { type CurrentEnvelope, type EnvelopeChange, envelopeDrift } from './journal/envelope-drift.ts'
export { type ErrorCode, type ErrorOptions, LastgoodError, isJournalError, isLastgoodError } from './errors.ts'
export { type ExportOptions, exportSession } from './export/export-session.ts'
export { redacted } from './export/redact.ts'
export { type ImportOptions, type Imported, importSession } from './export/import-session.ts'
export { type InDoubtDid, type Listener, type SessionEvent } from './session/events.ts'
export { type FaultKind, isToRephrase } from './faults/fault-kinds.ts'
export { type Decision, type Fault } from './faults/fault.ts'
export { type SessionFacts, statuses } from './session/checkpoint.ts'
export { type Folded, foldHistory, foldJournal } from './session/fold.ts'
export { type Fork, type ForkOptions, forkSession } from './session/fork.ts'
export { type LeftOut, leftOutBy, listError } from './store/left-out.ts'
export { type HistoryEntry, readHistory } from './store/history.ts'
export {
  type AssistantMessage,
  type Block,
  type Edit,
  type Entry,
  type EntryBody,
  type EntryType,
  type Envelope,
  type InDoubt,
  type Message,
  type Origin,
  type Owner,
  type RepairNote,
  journalVersion,
  parseEntry,
} from './journal/journal.ts'
export { type Context, type Effect, type StateName, machineVersion } from './machine/machine-state.ts'
export { type Snapshot, step } from './machine/machine-step.ts'
export { memoryStore } from './store/memory-store.ts'
export { isDead, thisOwner } from './store/owner.ts'
export { helpedBy, ownWayOn } from './session/own-way-on.ts'
export { openSession, visitSession } from './session/open-session.ts'
export { editsBetween } from './repair/transcript/edits.ts'
export { type RepairedTranscript, type StoredTranscript, repairTranscript } from './repair/stored-transcript.ts'
export { type Removable, type Removal, type RemovalOptions, removeSession, removeSessions } from './store/removal.ts'
export {
  type KeptBecause,
  type PruneOptions,
  type PrunePlan,
  type Retention,
  expiryOf,
  prunePlan,
} from './session/retention.ts'
export { cardOf } from './ladder/built-in-cards.ts'
export { type Rung, validateLadder } from './ladder/ladder.ts'
export { type TokenNeed, estimateTokens } from './ladder/token-need.ts'
export { type ModelCard, isSameModel } from './ladder/model-card.ts'
export {
  type SharedRecord,
  type SharedState,
  assertSharedKey,
  assertSharedPrefix,
  sharedJson,
} from './records/shared-state.ts'
export {
  type FleetAgents,
  isLeftToWorkers,
  noteFleetAgent,
  readFleetAgents,
  waitsForPerson,
} from './records/fleet-agents.ts'
export { type Agent, type Session } from './session/session.ts'
export { type SessionOptions } from './session/session-options.ts'
export { type Health, providerHealth } from './health/health.ts'
export { type HeldBecause, heldBy } from './health/held.ts'
export { signOf } from './health/notes.ts'
export { type HealthKey, type HealthRecord } from './health/record.ts'
export { type Recovery } from './health/recovery.ts'
export { type LimiterAnswer, type LimiterAsking, type RequestLimiter } from './health/request-limiter.ts'
export { type Incident, type StatusPage } from './status-page/page.ts'
export { pageSays, relevantIncident } from './status-page/advice.ts'
export { storedEntry, valueStoredIn } from './journal/stored-entry.ts'
export {
  type PollOptions,
  type StatusPageOptions,
  type StatusPagePoller,
  type StatusReading,
  defaultStatusUrls,
  statusPage,
} from './status-page/poller.ts'
export { type Head, type SessionStatus, headVersion, parseHead } from './store/head.ts'
export {
  type Busy,
  type Finding,
  type Holder,
  type Lease,
  type SessionFilter,
  type SessionSummary,
  type Store,
  assertAppend,
  assertBlobName,
  assertSessionId,
  journalConflict,
  leaseLost,
  matchesFilter,
  sessionBusy,
  sessionNotFound,
} from './store/store.ts'
export { withoutSecrets, withoutSecretsInside } from './secrets.ts'
export { shellWord } from './shell-word.ts'
export { type StepContext, type StepOptions, type ToolStepOptions } from './session/step-ledger.ts'
export { type ToolContent, toolContent } from './session/tool-content.ts'
export {
  type LedgerRun,
  type LedgerTool,
  type LedgerTools,
  type ToolContext,
  runToolCalls,
} from './session/tool-ledger.ts'
export { type Interceptor, intercept } from './wire/interceptor.ts'
export { type InterceptorOptions } from './wire/interceptor-options.ts'
export { orAborted } from './or-aborted.ts'
export { isRecord, parsedJson } from './json.ts'
export { type OptionChecks, checksOf, leaseDuration, positiveMs } from './option-checks.ts'
export { requestFailed } from './wire/given-up.ts'
export { type LadderRung } from './wire/rungs.ts'
export { BodyReader } from './wire/body-reader.ts'
export { textOfBody } from './wire/body-text.ts'
export { credentialHeaders } from './wire/credential-headers.ts'
export {
  type MessagesBody,
  type WireRequest,
  betasOf,
  isMessagesRequest,
  isStructured,
  wantsVerdicts,
} from './wire/messages-request.ts'
export { type Pieces, readPieces, streamOf } from './wire/pieces.ts'
export { type PendingRepairs, pendingRepairs } from './wire/pending-repairs.ts'
export { replayed } from './wire/replay.ts'
export { EventReader, eventsIn, writeEvent } from './wire/sse.ts'
export { type Limits } from './wire/watchdog.ts'
export { type Verdict } from './session/verdict.ts'
export {
  type FaultFacts,
  type Happening,
  type RecoveryMode,
  type TurnOutcome,
  type TurnTally,
  type WaitReason,
} from './watching/happening.ts'
export { Happenings } from './watching/happenings.ts'
export { type Logger, logWatcher } from './watching/logger.ts'
export { modelLabel } from './watching/model-label.ts'
export { scrubbedFields } from './watching/scrubbed.ts'
export { type WatchedSession } from './watching/watched-session.ts'
export { type RunWork, type Watcher, type Work } from './watching/watcher.ts'
