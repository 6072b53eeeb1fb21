/** For tests of stores and of programs that use lastgood. Needs no test runner; not for production code. */
export { entriesAfter, entry, head, owner, testEpoch, turnStarted } from './entries.ts'
export { type StoreCase, type StoreHarness, storeContract } from './store-contract.ts'
