/**
 * The store contract as data: what every store must do, run the same way against each. It needs no test runner:
 *
 *     for (const { name, run } of storeContract) {
 *       test(name, async () => {
 *         const harness = await openHarness()          // an empty store for each case
 *         try { await run(harness) } finally { await harness.close() }
 *       })
 *     }
 *
 * A case throws an AssertionError if its claim does not hold. Cases cite the promise that they prove: no acknowledged
 * turn is lost (P1), one writer per session (P3), what is re-sent is what was sent (P4), fail closed (P5).
 */
import { appendCases } from './contract/append-cases.ts'
import { blobCases } from './contract/blob-cases.ts'
import { findingCases } from './contract/finding-cases.ts'
import type { StoreCase } from './contract/harness.ts'
import { handoverCases } from './contract/handover-cases.ts'
import { leaseCases } from './contract/lease-cases.ts'
import { listingCases } from './contract/listing-cases.ts'
import { raceCases } from './contract/race-cases.ts'
import { readCases } from './contract/read-cases.ts'
import { sharedCases } from './contract/shared-cases.ts'

export type { StoreCase, StoreHarness } from './contract/harness.ts'

/** All cases, to be run one by one on an empty store. */
export const storeContract: readonly StoreCase[] = [
  ...leaseCases,
  ...handoverCases,
  ...appendCases,
  ...readCases,
  ...raceCases,
  ...listingCases,
  ...blobCases,
  ...sharedCases,
  ...findingCases,
]
