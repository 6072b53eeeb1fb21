/**
 * What must hold for what a client was given: it is in the record before the client has its end, its cost is what the
 * provider billed, and nothing that is recorded was paid again because it was asked for again.
 */
import type { Entry } from '@lastgood/core'
import type { LocalLab } from '@lastgood/outage-lab'
import { readJournal, spelled } from '../journal-reader.ts'
import type { Referee } from '../referee.ts'
import { holds, isOfThinking } from '../verdict.ts'
import type { World } from '../world.ts'
import type { Client, Given } from './client.ts'

/** As an answer arrives. */
export function judgeGiven(
  world: World,
  { journals }: Referee,
  lab: LocalLab,
  { name }: Client,
  { answer }: Given,
): void {
  const recorded = [...journals.values()].flat().flatMap((entry) => (entry.type === 'response-received' ? [entry] : []))
  const own = recorded.find(({ message }) => holds(answer.content, message))
  if (!own) return world.find('P1', `${name} has an answer that is not in the record`)
  const billed = lab.requests.find(({ outcome }) => outcome.message?.id === own.message.id)
  const { usage } = billed?.outcome ?? {}
  if (billed?.completed && billed.outcome.kind === 'ok' && usage?.output_tokens !== answer.usage['output_tokens'])
    world.find('P8', `${name} is told another cost than request ${billed.n} was billed`)
}

export function judgeGateway(world: World, referee: Referee, lab: LocalLab, clients: readonly Client[]): void {
  const billed = lab.requests.reduce((sum, { outcome }) => sum + (outcome.usage?.output_tokens ?? 0), 0)
  const told = clients.flatMap(({ given }) => given).reduce((sum, { answer }) => sum + outputOf(answer.usage), 0)
  if (told > billed) world.find('P8', `clients are told ${told} output tokens, and ${billed} were billed`)
  const isUnbound = [...referee.journals.values()].some((journal) => readJournal(journal).isUnbound)
  for (const { n, violation } of lab.requests)
    if (violation && !(isUnbound && isOfThinking(violation))) world.find('P4', `request ${n}: ${violation.message}`)
  for (const journal of referee.journals.values()) judgePaidOnce(world, journal, lab)
}

function outputOf(usage: Readonly<Record<string, unknown>>): number {
  const { iterations } = usage
  const parts = Array.isArray(iterations) ? (iterations as Record<string, unknown>[]) : [usage]
  return parts.reduce((sum, part) => sum + Number(part['output_tokens'] ?? 0), 0)
}

/** The clocks of two gateways differ by less; the time in which the same request has the same answer is far longer. */
const [skewMs, surelyMs] = [20_000, 60_000]

function judgePaidOnce(world: World, journal: readonly Entry[], lab: LocalLab): void {
  for (const [at, entry] of journal.entries()) {
    if (entry.type !== 'response-received') continue
    const { content, stop_reason: why } = entry.message
    if (why === 'refusal' || content.length === 0) continue
    const asked = spelled(readJournal(journal.slice(0, at)).messages)
    for (const { n, at: askedAt, body } of lab.requests) {
      const passedMs = askedAt - entry.at
      if (passedMs < skewMs || passedMs > surelyMs || Number(body?.max_tokens) <= 1) continue
      if (spelled((body?.messages ?? []) as never) === asked)
        world.find('P8', `request ${n} asks again for entry ${entry.seq}, ${passedMs} ms after it was recorded`)
    }
  }
}
