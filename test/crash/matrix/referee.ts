/**
 * Watches from outside while processes die: what the store applied and what tools really did, in one order.
 *
 * 1. The log is written by the store (after it applied) and by the tools themselves (as they begin), not by a session.
 * 2. `verdict` names broken promises, in words; every run must end with an empty list.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Entry, EntryType, InDoubt, Store, ToolContext } from '@lastgood/core'

/** What a tool did: for which call, under which rule, and by whose decision if it was repeated on purpose. */
export interface Effect {
  call: string
  key: string
  rule: InDoubt
  /** Empty for a tool that only looks. */
  name: string
}

export class Referee {
  readonly #log: ({ kind: 'entry'; entry: Entry } | ({ kind: 'effect' } & Effect))[] = []
  readonly #acknowledged: Entry[] = []
  /** Calls that a person said to run again. */
  readonly #permitted = new Set<string>()

  /** `store`, with everything that it applies to the session logged. */
  watch(store: Store, sessionId: string): Store {
    let known = 0
    return {
      ...store,
      append: async (lease, afterSeq, entries, head) => {
        const seq = await store.append(lease, afterSeq, entries, head)
        if (lease.sessionId !== sessionId) return seq
        for (const entry of entries.filter((one) => one.seq > known)) this.#log.push({ kind: 'entry', entry })
        known = Math.max(known, seq)
        return seq
      },
    }
  }

  /** A tool begins. */
  effect(
    name: string,
    rule: InDoubt,
    { toolUseId, idempotencyKey }: Pick<ToolContext, 'toolUseId' | 'idempotencyKey'>,
  ) {
    this.#log.push({ kind: 'effect', call: toolUseId, key: idempotencyKey, rule, name })
  }

  acknowledge(entry: Entry): void {
    this.#acknowledged.push(structuredClone(entry))
  }

  permit(call: string): void {
    this.#permitted.add(call)
  }

  /** Names of effects so far, each as often as it happened. */
  get done(): string[] {
    return this.#log.flatMap((one) => (one.kind === 'effect' && one.name !== '' ? [one.name] : []))
  }

  verdict(sessionId: string, journal: readonly Entry[]): string[] {
    return [...this.#lost(journal), ...this.#effectsAgainstTheRules(sessionId)]
  }

  #lost(journal: readonly Entry[]): string[] {
    const broken = journal.filter((entry, i) => entry.seq !== i + 1 || entry.fence < (journal[i - 1]?.fence ?? 0))
    const lost = this.#acknowledged.filter((entry) => !isDeepStrictEqual(journal[entry.seq - 1], entry))
    return [
      ...broken.map((entry) => `entry ${entry.seq} is out of order`),
      ...lost.map((entry) => `P1: ${entry.type}, entry ${entry.seq}, was acknowledged and is lost`),
    ]
  }

  #effectsAgainstTheRules(sessionId: string): string[] {
    return this.#log.flatMap((one, at) => {
      if (one.kind === 'entry') return []
      const before = this.#log.slice(0, at)
      const entries = before.flatMap((past) => (past.kind === 'entry' ? [past.entry] : []))
      const isRepeated = before.some((past) => past.kind === 'effect' && past.call === one.call)
      const mayRepeat = one.rule === 'rerun' || this.#permitted.has(one.call)
      const isAnnounced = entries.some((entry) => idIn(entry, 'tool-started', 'step-started') === one.call)
      return [
        ...(isRepeated && !mayRepeat ? [`P2: ${one.call} was silently repeated`] : []),
        ...(entries.some((entry) => isResultOf(entry, one.call)) ? [`P2: ${one.call} ran again after its result`] : []),
        ...(!isAnnounced && one.rule !== 'rerun' ? [`P5: ${one.call} ran and was not announced`] : []),
        ...(one.key === `${sessionId}:${one.call}` ? [] : [`P2: ${one.call} had the key ${one.key}`]),
      ]
    })
  }
}

/** Whether the entry has the result of the call, from an agent or from the program's own loop. */
function isResultOf(entry: Entry, call: string): boolean {
  if (idIn(entry, 'tool-finished', 'step-finished') === call) return true
  if (entry.type !== 'turn-continued') return false
  return entry.messages.some(
    ({ content }) => typeof content !== 'string' && content.some((block) => block['tool_use_id'] === call),
  )
}

/** The call, or the program's own step, that an entry of one of these types is about. */
function idIn(entry: Entry, ...types: EntryType[]): string | undefined {
  if (!types.includes(entry.type)) return undefined
  return 'toolUseId' in entry ? entry.toolUseId : 'stepId' in entry ? entry.stepId : undefined
}
