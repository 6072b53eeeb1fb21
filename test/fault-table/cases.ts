/** All cases of the fault table. */
import { answers } from './answers.cases.ts'
import { auth } from './auth.cases.ts'
import { beforeContent } from './before-content.cases.ts'
import type { FaultCase } from './fault-case.ts'
import { inBandCases } from './in-band.cases.ts'
import { inStream } from './in-stream.cases.ts'
import { limitsAndBilling } from './limits-and-billing.cases.ts'
import { request } from './request.cases.ts'
import { serverHeld } from './server-held.cases.ts'

export { processCases } from './process.cases.ts'

export const faultCases: readonly FaultCase[] = [
  ...beforeContent,
  ...inBandCases,
  ...inStream,
  ...limitsAndBilling,
  ...auth,
  ...request,
  ...serverHeld,
  ...answers,
]
