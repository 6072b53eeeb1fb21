/**
 * lastgood's core: open a session, and what it records survives the process.
 *
 *     const session = await openSession('fix-auth')            // a local journal; or { store: redisStore(client) }
 *     const messages = session.messages()                      // everything up to the last durable step
 *     const reply = await session.run(agent, 'Make it green')  // or mount `intercept(session)` where requests leave
 *
 * The Anthropic SDK's mount is in `@lastgood/anthropic`; stores are in `@lastgood/core/file` and `@lastgood/redis`.
 */
export { type FaultHistory, type Policy, type PolicyOptions, decide, defaultPolicy, resolvePolicy } from './policy.ts'
export { type Wire, classify } from './classify.ts'
export { type Clock, type SleepOptions, systemClock } from './clock.ts'
export { type ErrorCode, type ErrorOptions, LastgoodError, isLastgoodError } from './errors.ts'
export { type Listener, type SessionEvent } from './events.ts'
export { type Decision, type Fault, type FaultKind } from './fault.ts'
export { type Folded, foldJournal } from './fold.ts'
export {
  type AssistantMessage,
  type Block,
  type Entry,
  type EntryBody,
  type EntryType,
  type Envelope,
  type InDoubt,
  type Message,
  type Owner,
  journalVersion,
  parseEntry,
} from './journal.ts'
export {
  type Context,
  type Effect,
  type Snapshot,
  type StateName,
  machineVersion,
  sessionMachine,
  step,
} from './machine.ts'
export { memoryStore } from './memory-store.ts'
export { isDead, thisOwner } from './owner.ts'
export { openSession } from './open-session.ts'
export { type Agent, type Session } from './session.ts'
export { type SessionOptions } from './session-options.ts'
export {
  type Busy,
  type Head,
  type Holder,
  type Lease,
  type SessionFilter,
  type SessionStatus,
  type SessionSummary,
  type Store,
  assertAppend,
  assertSessionId,
  journalConflict,
  leaseLost,
  matchesFilter,
  parseHead,
  sessionBusy,
} from './store.ts'
export { type LedgerRun, type LedgerTool, type LedgerTools, type ToolContext, runToolCalls } from './tool-ledger.ts'
export { type Interceptor, type InterceptorOptions, intercept } from './wire/interceptor.ts'
export { type WireRequest } from './wire/messages-request.ts'
export { type Limits } from './wire/watchdog.ts'
