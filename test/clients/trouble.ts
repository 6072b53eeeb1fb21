/** The faults of a job's API: in the first attempts at its second answer, or for a while from the first answer on. */
import type { Fault, Lab, Outage } from '@lastgood/outage-lab'

export type Trouble =
  | { readonly kind: 'tries'; readonly fault: Fault; readonly tries: number }
  | { readonly kind: 'outage'; readonly fault: Fault; readonly ms: number }

/** What fails from the start. */
export function outagesOf(trouble: Trouble | undefined): Outage[] {
  if (trouble?.kind !== 'tries') return []
  const when = { requests: [1, Infinity] as [number, number], contains: 'step1 >> steps.log', once: true as const }
  return Array.from({ length: trouble.tries }, () => ({ when, fault: trouble.fault }))
}

const lookMs = 50

/**
 * Everything fails from now on. The time of the outage counts from the first request that it hits: a client's tool may
 * take longer than a short outage. The lab began at `labBeganAt`; `signal` ends the wait for that request.
 */
export function beginOutage(
  lab: Lab,
  labBeganAt: number,
  { fault, ms }: Trouble & { kind: 'outage' },
  signal: AbortSignal,
): void {
  const lasting = (end: number) => lab.setOutages([{ when: { window: [0, end] }, fault }])
  lasting(Infinity)
  const looking = setInterval(() => {
    const hit = lab.requests.find(({ outcome }) => outcome.kind === 'fault')
    if (!hit) return
    clearInterval(looking)
    lasting(hit.at - labBeganAt + ms)
  }, lookMs)
  signal.addEventListener('abort', () => clearInterval(looking), { once: true })
}
