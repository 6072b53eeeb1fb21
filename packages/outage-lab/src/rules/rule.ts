/** One demand of the API, and what checks share. */
import { place, type Found, type Transcript } from '../transcript.ts'

export interface Rule {
  readonly name: string
  /** Number in the list of known transcript invariants. */
  readonly row?: number
  readonly text: string
  /** The text is this lab's: the real one is not known. */
  readonly own?: true
  /** `details.error_code`, with the values of these places beside it. */
  readonly errorCode?: string
  readonly detailFields?: readonly string[]
  readonly check: (transcript: Transcript) => Found | undefined
}

export function when(broken: boolean): Found | undefined {
  return broken ? {} : undefined
}

export function placed(finding: Transcript['findings'][number] | undefined): Found | undefined {
  return finding && { path: place(finding.placed) }
}
