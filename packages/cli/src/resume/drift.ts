/** How today's agent differs from what the session has pinned, shown before the session goes on. Pure. */
import type { CodingAgent } from '@lastgood/anthropic'
import { envelopeDrift, type EnvelopeChange, type Session } from '@lastgood/core'
import { joined, safeLine } from '../text.ts'

/** Empty if the session has pinned nothing of this agent, or the agent does not say what it sends. */
export function driftOf({ envelope, envelopeAgent }: Session, agent: CodingAgent): EnvelopeChange[] {
  if (!envelope || envelopeAgent !== agent.name || !agent.envelope) return []
  return envelopeDrift(envelope, agent.envelope)
}

export function driftLines(agent: string, changes: readonly EnvelopeChange[], isAdopted: boolean): string[] {
  if (changes.length === 0) return []
  const what = isAdopted
    ? 'is sent from now on, with a cold cache (--adopt)'
    : 'is not sent: the pinned version keeps prompt cache and thinking; --adopt sends it'
  return [
    `drift    ${safeLine(agent)} has changed since; its new version ${what}`,
    ...changes.map((one) => `         ${line(one)}`),
  ]
}

function line({ part, name, change, pinned, current }: EnvelopeChange): string {
  const what = joined([part === 'param' ? 'parameter' : part.replace('-', ' '), name], ' ')
  const sizes = pinned !== undefined && current !== undefined ? ` ${pinned} → ${current}` : ''
  const size = sizes === '' && (pinned ?? current) !== undefined ? ` (${pinned ?? current})` : sizes
  return safeLine(`${what} ${change}${size}`)
}
