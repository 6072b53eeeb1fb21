/** What the doctor found: facts, and findings by how bad they are. Pure. */
import type { Finding } from '@lastgood/core'

export type Subject = 'node' | 'configuration' | 'credentials' | 'store' | 'sessions'
export type DoctorFinding = Finding & { readonly about: Subject }

export interface DoctorReport {
  readonly nodeVersion: string
  /** Its path and the names of its agents; undefined: there is none, or it cannot be loaded. */
  readonly configuration: { readonly path: string; readonly agents: readonly string[] } | undefined
  readonly hasApiKey: boolean
  /** Undefined where the store could not be asked. */
  readonly store: { readonly location: string; readonly source: string } | undefined
  readonly sessions:
    | {
        readonly total: number
        readonly recoverable: number
        /** This many were read as a resume would; the others are older. */
        readonly tried: number
      }
    | undefined
  readonly findings: readonly DoctorFinding[]
}

/** The risk of a store that cannot be used. A store that knows why says the same, so that it is told once. */
export const unusable = 'no session can be recorded, so none can start or continue (P5)'

const severities: readonly Finding['severity'][] = ['danger', 'warning', 'info']

/** The worst first; within a severity, in the order in which they were found. */
export function worstFirst(findings: readonly DoctorFinding[]): DoctorFinding[] {
  return severities.flatMap((severity) => findings.filter((one) => one.severity === severity))
}

export function countOf(findings: readonly Finding[], severity: Finding['severity']): number {
  return findings.filter((one) => one.severity === severity).length
}

export const about =
  (subject: Subject) =>
  (finding: Finding): DoctorFinding => ({ about: subject, ...finding })
