/** A claim of the verdict, with the way to refute it: `find` returns what is wrong, or nothing. */
import type { Evidence, LabEvidence } from './evidence.ts'

export type Complaint = string | undefined | false

export interface Check {
  readonly name: string
  /** Cannot be checked with the real API. */
  readonly needsLab?: true
  readonly find: (evidence: Evidence) => Complaint | Promise<Complaint>
}

/** A check that needs the lab. */
export function withLab(
  name: string,
  find: (lab: LabEvidence, evidence: Evidence) => Complaint | Promise<Complaint>,
): Check {
  return { name, needsLab: true, find: (evidence) => (evidence.lab ? find(evidence.lab, evidence) : 'there is no lab') }
}

export function differs(found: readonly string[], wanted: readonly string[]): Complaint {
  return found.join() !== wanted.join() && `${found.join(', ') || 'none'} instead of ${wanted.join(', ') || 'none'}`
}
