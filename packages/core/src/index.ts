/** Core of lastgood. (The usage comment and the full list of names follow with the session.) */
export { type Clock, type SleepOptions, systemClock } from './clock.ts'
export { type ErrorCode, type ErrorOptions, LastgoodError, isLastgoodError } from './errors.ts'
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
export { isDead, thisOwner } from './owner.ts'
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
  headSchema,
  journalConflict,
  leaseLost,
  matchesFilter,
  sessionBusy,
} from './store.ts'
