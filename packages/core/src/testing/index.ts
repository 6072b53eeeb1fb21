/** For tests of stores and of programs that use lastgood. Needs no test runner; not for production code. */
export { CrashError, type CrashPoint, type CrashingStore, crashAfter } from './crash-after.ts'
export { entriesAfter, entry, head, owner, testEpoch, turnStarted } from './entries.ts'
export { admit, isCalm, isSettled, report, reportLate } from '../health/breaker.ts'
export { recoveryOf } from '../health/recovery.ts'
export { ManualClock, type ManualClockOptions } from './manual-clock.ts'
export { seededRandom } from './random.ts'
export { type StoreCase, type StoreHarness, storeContract } from './store-contract.ts'
/** For benchmarks: only the check of what is sent. */
export { TranscriptWatch } from '../repair/transcript/transcript-watch.ts'
