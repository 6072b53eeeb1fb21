/** What the API of a job suffers from: its second answer's first tries, or a while from the first answer on. */
import type { Fault, Outage } from '@lastgood/outage-lab'

export type Trouble =
  | { readonly kind: 'tries'; readonly fault: Fault; readonly tries: number }
  | { readonly kind: 'outage'; readonly fault: Fault; readonly ms: number }

/** What fails from the start. */
export function outagesOf(trouble: Trouble | undefined): Outage[] {
  if (trouble?.kind !== 'tries') return []
  const when = { requests: [1, Infinity] as [number, number], contains: 'step1 >> steps.log', once: true as const }
  return Array.from({ length: trouble.tries }, () => ({ when, fault: trouble.fault }))
}

/** What fails from the first answer on, `sinceStartMs` after the start. */
export function outagesFrom(trouble: Trouble | undefined, sinceStartMs: number): Outage[] | undefined {
  if (trouble?.kind !== 'outage') return undefined
  return [{ when: { window: [sinceStartMs, sinceStartMs + trouble.ms] }, fault: trouble.fault }]
}
