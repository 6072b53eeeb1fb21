/** Asks the health records whether a fault hits this session alone or others too. Pure. */
import type { Elsewhere } from '../faults/classify.ts'
import type { HealthKey, HealthRecord } from './record.ts'

/** What other sessions observed: of this model since the instant asked for; denials of its endpoint, up to 8 a model. */
export type Evidence = Pick<Elsewhere, 'othersSucceed' | 'othersDenied'>

/** Older denials are unrelated. */
const deniedWithinMs = 5 * 60_000

export interface Question {
  readonly key: HealthKey
  readonly session: string
  /** Epoch ms. */
  readonly now: number
  /** Successes after this instant (epoch ms) count. */
  readonly since: number
}

export function evidence(records: readonly HealthRecord[], { key, session, now, since }: Question): Evidence {
  const here = records.filter(({ endpoint }) => endpoint === key.endpoint)
  const denials = here.flatMap((record) => record.denials)
  const denied = denials.filter((one) => one.session !== session && one.at > now - deniedWithinMs)
  return {
    othersSucceed: here
      .filter(({ model }) => model === key.model)
      .some(({ successes }) => successes.some((one) => one.session !== session && one.at > since)),
    othersDenied: new Set(denied.map((one) => one.session)).size,
  }
}
