/**
 * What must hold when a simulation is over: the journals, as the store gives them back, against what the referee saw,
 * and the provider's ledger against both.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Block, Entry, Store } from '@lastgood/core'
import type { LocalLab } from '@lastgood/outage-lab'
import { edited, readJournal, spelled, wholeEntry } from './journal-reader.ts'
import { askedHeader } from './provider.ts'
import type { Referee } from './referee.ts'
import type { World } from './world.ts'

export async function judge(world: World, store: Store, referee: Referee, lab: LocalLab): Promise<void> {
  const found = new Map<string, Entry[]>()
  for (const sessionId of referee.journals.keys()) {
    const journal: Entry[] = []
    for await (const entry of store.read(sessionId)) {
      const text = entry.type === 'kept-apart' ? await store.readBlob(sessionId, entry.blob.name) : undefined
      journal.push(wholeEntry(entry, text))
    }
    found.set(sessionId, journal)
  }
  for (const [sessionId, journal] of found) judgeJournal(world, referee, sessionId, journal)
  judgeAcknowledged(world, referee, found)
  judgeRequests(world, referee, lab)
}

function judgeJournal(world: World, referee: Referee, sessionId: string, journal: readonly Entry[]): void {
  const applied = referee.journalOf(sessionId)
  if (!isDeepStrictEqual(journal, applied))
    world.find('P1', `${sessionId} has ${journal.length} entries, and not the ${applied.length} that the store took`)
  let fence = 0
  let isAsked = false
  for (const [at, entry] of journal.entries()) {
    if (entry.seq !== at + 1) world.find('P1', `entry ${entry.seq} of ${sessionId} is at place ${at + 1}`)
    if (entry.fence < fence)
      world.find('P3', `entry ${entry.seq} of ${sessionId} is of the superseded fence ${entry.fence}`)
    if (entry.fence > fence) isAsked = false
    fence = entry.fence
    if (entry.type === 'request-sent') {
      if (isAsked) world.find('P8', `entry ${entry.seq} of ${sessionId} sends again, and no fault says why`)
      isAsked = true
    }
    if (entry.type === 'fault-observed' || entry.type === 'response-received' || entry.type === 'rewound')
      isAsked = false
  }
  const told = readJournal(referee.history(journal))
  if (told.isOpen) world.find('P6', `${sessionId} was not brought to rest`)
}

function judgeAcknowledged(world: World, referee: Referee, found: ReadonlyMap<string, readonly Entry[]>): void {
  const removed = referee.removed.flat()
  const isSame = isDeepStrictEqual
  for (const { sessionId, entry, answer, result } of referee.acknowledged) {
    const lost = (what: string) => world.find('P1', `${what} of ${sessionId} was acknowledged and is lost`)
    const journal = found.get(sessionId) ?? []
    const all = [...referee.history(journal), ...removed]
    if (entry && !isSame(journal[entry.seq - 1], entry) && !removed.some((one) => isSame(one, entry)))
      lost(`entry ${entry.seq} (${entry.type}, fence ${entry.fence})`)
    if (answer && !all.some((one) => one.type === 'response-received' && endsWith(answer, one.message.content)))
      lost('an answer')
    if (result && !all.some((one) => one.type === 'tool-finished' && isSame(one.result, result)))
      lost(`the result of ${String(result['tool_use_id'])}`)
  }
}

function endsWith(handedOut: readonly Block[], recorded: readonly Block[]): boolean {
  const said = (content: Block[]) => spelled([{ role: 'assistant', content }])
  return said(handedOut.slice(-recorded.length)) === said([...recorded])
}

/**
 * A request that the API would refuse, or that is not the conversation of the journal up to its announcement: so none
 * asks again for an answer that was recorded and not taken back.
 */
function judgeRequests(world: World, referee: Referee, lab: LocalLab): void {
  for (const { n, headers, violation } of lab.requests) {
    const asked = referee.asked[Number(headers[askedHeader] ?? NaN)]
    if (!asked) continue // about models, or a ping
    const { who, sessionId, journal, announcedAt, messages } = asked
    const { isMending, isUnbound, ...told } = readJournal(referee.history(journal.slice(0, announcedAt)))
    if (violation && !isUnbound) world.find('P4', `request ${n}: ${violation.message}`)
    const isMeant = spelled(messages) === spelled(edited(told.messages, told.edits))
    if (!isMeant && !isMending)
      world.find('P4', `${who}: request ${n} is not the conversation of ${sessionId} up to entry ${announcedAt + 1}`)
  }
}
