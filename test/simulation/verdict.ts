/**
 * What must hold when a simulation is over: the journals, as the store gives them back, against what the referee saw,
 * and the provider's ledger against both.
 */
import { isDeepStrictEqual } from 'node:util'
import type { AssistantMessage, Block, Entry, Message, Store } from '@lastgood/core'
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
  let askedAgain = referee.givenUp.get(sessionId) ?? 0
  for (const [at, entry] of journal.entries()) {
    if (entry.seq !== at + 1) world.find('P1', `entry ${entry.seq} of ${sessionId} is at place ${at + 1}`)
    if (entry.fence < fence)
      world.find('P3', `entry ${entry.seq} of ${sessionId} is of the superseded fence ${entry.fence}`)
    if (entry.fence > fence) isAsked = false
    fence = entry.fence
    if (entry.type === 'request-sent') {
      if (isAsked && --askedAgain < 0)
        world.find('P8', `entry ${entry.seq} of ${sessionId} sends again, and no fault says why`)
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
    if (answer && !all.some((one) => one.type === 'response-received' && holds(answer, one.message))) lost('an answer')
    if (result && !all.some((one) => one.type === 'tool-finished' && isSame(one.result, result)))
      lost(`the result of ${String(result['tool_use_id'])}`)
  }
}

/**
 * Has all of what is recorded, if that is anything, and ends with its last words. Blocks of attempts that broke may stand before and between;
 * kept words that such a block followed may come again.
 */
export function holds(handedOut: readonly Block[], { content }: AssistantMessage): boolean {
  const [theirs, ours] = [handedOut.map(spelledBlock), content.map(spelledBlock)]
  let at = 0
  for (const block of theirs) if (block === ours[at]) at += 1
  const [theirWords, ourWords] = [handedOut, content].map((all) => all.findLast(({ type }) => type !== 'thinking'))
  const isEnd = ourWords
    ? theirWords && spelledBlock(theirWords) === spelledBlock(ourWords)
    : theirs.at(-1) === ours.at(-1)
  return content.length === 0 || (at === ours.length && isEnd === true)
}

/**
 * A request that the API would refuse, or that is not the conversation of the journal up to its announcement: so none
 * asks again for an answer that was recorded and not taken back.
 */
function judgeRequests(world: World, referee: Referee, lab: LocalLab): void {
  for (const { n, headers, violation } of lab.requests) {
    const asked = referee.asked[Number(headers[askedHeader] ?? NaN)]
    if (!asked) continue // about models, or a ping
    const { who, sessionId, journal, announcedAt } = asked
    const messages = asked.messages.filter(saysSomething)
    const { isMending, isUnbound, ...known } = readJournal(referee.history(journal.slice(0, announcedAt)))
    if (violation && !(isUnbound && isOfThinking(violation))) world.find('P4', `request ${n}: ${violation.message}`)
    const before = lab.requests.filter((one) => one.n < n)
    const conversation = edited(known.messages, known.edits).filter(saysSomething)
    const told = isMending ? withoutRefused : spelled
    const isMeant = [
      conversation,
      withoutPending(conversation),
      ...(isMending ? [askedToGoOn(conversation), askedToGoOn(conversation).slice(0, -1)] : []),
    ].some(
      (meant) =>
        told(messages.slice(0, meant.length)) === told(meant) && goesOn(messages.slice(meant.length), before, messages),
    )
    if (!isMeant)
      world.find('P4', `${who}: request ${n} is not the conversation of ${sessionId} up to entry ${announcedAt + 1}`)
  }
}

/** Thinking that is not with its signature, or after other messages than it was signed against. */
export const isOfThinking = ({ rule = '' }: NonNullable<LocalLab['requests'][number]['violation']>): boolean =>
  ['thinking-modified', 'thinking-signature', 'thinking-binding'].includes(rule)

/** Not so what parts two answers of which the first does not go on in the second any more. */
const saysSomething = ({ content }: Message): boolean => content !== '(no message)'

const goOn = 'Your previous response was interrupted'

/** A paused answer that lost what it thought is no longer gone on from by itself. */
function askedToGoOn(messages: readonly Message[]): Message[] {
  const asked = { role: 'user' as const, content: goOn }
  return withoutPending([...messages, asked]).filter(({ content }) => content.length > 0)
}

/** The API takes no call of its own tools that has no result yet once somebody has said something after it. */
function withoutPending(messages: readonly Message[]): Message[] {
  const answered = new Set(messages.flatMap(({ content }) => idsIn(content)))
  return messages.map((message, at) => {
    const { role, content } = message
    if (role !== 'assistant' || typeof content === 'string' || at === messages.length - 1) return message
    return { ...message, content: content.filter(({ type, id }) => type !== 'server_tool_use' || answered.has(id)) }
  })
}

/** In one spelling: without what a repair takes away, and what it puts there instead. */
const withoutRefused = (messages: readonly Message[]): string =>
  spelled(
    messages.map(({ role, content }) => {
      const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content
      return { role, content: blocks.filter((block) => !isRefused(block)).map(withoutResult) }
    }),
  )

const isRefused = ({ type, text }: Block): boolean =>
  ['thinking', 'image'].includes(type) ||
  /^\(no text\)$|^\[image |^Your previous response was interrupted/.test(String(text))

const withoutResult = (block: Block): Block => (block.type === 'tool_result' ? { ...block, content: '' } : block)

const idsIn = (content: Message['content']): unknown[] =>
  typeof content === 'string' ? [] : content.map((block) => block['tool_use_id'])

/**
 * Whether these messages are texts of answers that broke, each with a word to go on: `cutText: 'keep'`. The result of a
 * call of the server's goes with the call.
 */
function goesOn(messages: readonly Message[], before: LocalLab['requests'], sent: readonly Message[]): boolean {
  const served = before.flatMap(({ outcome }) => (outcome.fault && outcome.message ? [outcome.message.content] : []))
  const called = new Set(
    sent.flatMap(({ content }) => (typeof content === 'string' ? [] : content.map(({ id }) => id))),
  )
  const whole = (blocks: readonly Block[]) => blocks.filter(({ tool_use_id: id }) => id === undefined || called.has(id))
  return messages.every(({ role, content }, at) => {
    const blocks = typeof content === 'string' ? [] : content
    if (at % 2 === 0)
      return role === 'assistant' && served.some((answer) => isBeginning(blocks, whole(answer as Block[])))
    return role === 'user' && typeof content === 'string' && content.startsWith(goOn)
  })
}

/** Of an answer; its last block may be cut. Another model does not get the thinking. */
function isBeginning(blocks: readonly Block[], answer: readonly Block[]): boolean {
  const [ours, theirs] = [blocks, answer].map((all) => all.filter(({ type }) => type !== 'thinking')) as [
    Block[],
    Block[],
  ]
  return ours.every((block, at) => {
    const cut = { ...theirs[at], text: String(theirs[at]?.['text']).slice(0, String(block['text']).length) } as Block
    return spelledBlock(block) === spelledBlock(at === ours.length - 1 ? cut : theirs[at]!)
  })
}

const spelledBlock = (block: Block): string => spelled([{ role: 'assistant', content: [block] }])
