/** A claim of the verdict with the way to refute it: it gives what is wrong, or nothing. */
import type { Evidence, LabEvidence } from './evidence.ts'

export type Complaint = string | undefined | false

export interface Check {
  readonly name: string
  /** Cannot be asked with the real API. */
  readonly needsLab?: true
  readonly find: (evidence: Evidence) => Complaint | Promise<Complaint>
}

/** A check that only the lab makes possible. */
export function withLab(
  name: string,
  find: (lab: LabEvidence, evidence: Evidence) => Complaint | Promise<Complaint>,
): Check {
  return { name, needsLab: true, find: (evidence) => (evidence.lab ? find(evidence.lab, evidence) : 'there is no lab') }
}

export function differs(found: readonly string[], wanted: readonly string[]): Complaint {
  return found.join() !== wanted.join() && `${found.join(', ') || 'none'} instead of ${wanted.join(', ') || 'none'}`
}
