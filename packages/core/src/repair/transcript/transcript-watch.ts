/**
 * Repair whose cost follows what is new: a conversation is checked before every send, and most of it is already known
 * to be sound.
 *
 * 1. What was found sound is recognised by identity. Only what follows it is looked at, with as much before it as the
 *    rules about neighbours need; ids and media of the whole are remembered, for the rules that count.
 * 2. If anything in that part looks wrong, the whole is checked: the partial look alone never causes a repair.
 * 3. Its verdict is that of `repairOutgoing`.
 */
import { recordsIn } from '../../json.ts'
import { blocksOf, isServerCall } from '../../journal/message.ts'
import type { Message } from '../../journal/journal.ts'
import { callIdsOf, idOf, textBlock } from '../block-kinds.ts'
import type { Outgoing, RepairContext, Repaired } from '../outgoing.ts'
import { localRules, repairOutgoing } from './repair-transcript.ts'
import { placedBlocks } from '../blocks.ts'
import { manyMedia } from '../request/image-rule.ts'
import { isMedium } from '../request/media.ts'

/** How many answers before the new messages the rules look back at: a result may stand in the answer after the next. */
const answersBack = 3

/** A harmless message in front of a part, which has no beginning of its own. */
const lead: Message = { role: 'user', content: [textBlock('(before)')] }

export class TranscriptWatch {
  #sound: readonly Message[] = []
  #request = ''
  readonly #ids = new Set<string>()
  #media = 0

  /** What `repairOutgoing` returns for the request. */
  repair(outgoing: Outgoing, context: RepairContext): Repaired {
    const { messages } = outgoing
    const isGrown =
      this.#request === demandsOf(outgoing, context) && this.#sound.every((message, at) => message === messages[at])
    if (isGrown && this.#looksSound(outgoing, context)) {
      this.#remember(outgoing, context, this.#sound.length)
      return { outgoing, repairs: [] }
    }
    const repaired = repairOutgoing(outgoing, context)
    if (repaired.outgoing === outgoing && !repaired.unrepairable) this.#remember(outgoing, context, 0)
    return repaired
  }

  #looksSound(outgoing: Outgoing, context: RepairContext): boolean {
    const { messages } = outgoing
    const added = messages.slice(this.#sound.length)
    if (idsIn(added).some((id) => this.#ids.has(id))) return false
    const media = mediaIn(added)
    if (media > 0 && this.#media + media > manyMedia) return false
    const part = { ...outgoing, messages: [lead, ...messages.slice(this.#lookFrom())] }
    // Indexes into the record are not indexes into a part of it.
    const { recorded: _recorded, ...rest } = context
    return localRules.every((rule) => rule.repair(part, rest) === undefined)
  }

  /** Where the part begins: some answers back, at an answer. */
  #lookFrom(): number {
    let at = this.#sound.length
    for (let answers = 0; at > 0 && answers < answersBack; at -= 1) {
      if (this.#sound[at - 1]?.role === 'assistant') answers += 1
    }
    return at
  }

  #remember(outgoing: Outgoing, context: RepairContext, from: number): void {
    const { messages } = outgoing
    if (from === 0) {
      this.#ids.clear()
      this.#media = 0
    }
    const added = messages.slice(from)
    for (const id of idsIn(added)) this.#ids.add(id)
    this.#media += mediaIn(added)
    // A copy: the list that was passed in goes on growing.
    this.#sound = [...messages]
    this.#request = demandsOf(outgoing, context)
  }
}

/** What the rules read of a request besides its messages, as far as old messages depend on it. */
function demandsOf({ params }: Outgoing, { card, apiVersion = '' }: RepairContext): string {
  const tools = params['tools'] && recordsIn(params['tools']).map((tool) => tool['name'])
  return JSON.stringify([card.id, apiVersion, tools, params['mcp_servers'] === undefined])
}

const idsIn = (messages: readonly Message[]): string[] =>
  messages.flatMap((message) => [...callIdsOf(message), ...blocksOf(message).filter(isServerCall).map(idOf)])

const mediaIn = (messages: readonly Message[]): number =>
  placedBlocks(messages).filter(({ block }) => isMedium(block)).length
