/** The journal's side of the evidence, in terms that the checks use. Pure. */
import { tokensIn, type Entry, type TokenCounts } from '@lastgood/core'
import { migrationCommand } from './project.ts'

export type EntryOf<Type extends Entry['type']> = Extract<Entry, { type: Type }>

export function ofType<Type extends Entry['type']>(entries: readonly Entry[], type: Type): EntryOf<Type>[] {
  return entries.filter((entry): entry is EntryOf<Type> => entry.type === type)
}

/** A tool call as the journal records it. */
export interface JournaledCall {
  readonly toolUseId: string
  /** The idempotency key that its tool received. */
  readonly key: string
  readonly name: string
  readonly command: string | undefined
  readonly outcome: EntryOf<'tool-finished'>['outcome'] | undefined
}

export function callsIn(sessionId: string, entries: readonly Entry[]): JournaledCall[] {
  const finished = new Map(ofType(entries, 'tool-finished').map((entry) => [entry.toolUseId, entry.outcome]))
  return ofType(entries, 'response-received').flatMap(({ message }) =>
    message.content
      .filter((block) => block.type === 'tool_use')
      .map((block) => {
        const input = block['input'] as { command?: unknown } | undefined
        return {
          toolUseId: String(block['id']),
          key: `${sessionId}:${String(block['id'])}`,
          name: String(block['name']),
          command: typeof input?.command === 'string' ? input.command : undefined,
          outcome: finished.get(String(block['id'])),
        }
      }),
  )
}

export const isMigration = (command: string | undefined): boolean => command?.includes(migrationCommand) === true

/** Number of ended turns that were asked in exactly the words of `prompts`. */
export function endedTurns(prompts: readonly string[], entries: readonly Entry[]): number {
  const ended = new Set(ofType(entries, 'turn-ended').map(({ turn }) => turn))
  return ofType(entries, 'turn-started').filter(({ turn, messages }) => {
    const words = messages.map(({ content }) => content)
    return ended.has(turn) && words.length === 1 && words[0] === prompts[turn - 1]
  }).length
}

interface TokensAround {
  before: number
  allBefore: number
  answers: number
  resumed: TokenCounts
}

/** The input of the answers before the kill, and of the first one after it. */
export function tokensAround(durableAtKill: number, entries: readonly Entry[]): TokensAround {
  const answers = ofType(entries, 'response-received')
  const before = answers.filter(({ seq }) => seq <= durableAtKill).map(({ message }) => tokensIn(message.usage).input)
  const resumed = tokensIn(answers.find(({ seq }) => seq > durableAtKill)?.message.usage)
  return {
    before: before.at(-1) ?? 0,
    allBefore: before.reduce((sum, one) => sum + one, 0),
    answers: before.length,
    resumed,
  }
}
