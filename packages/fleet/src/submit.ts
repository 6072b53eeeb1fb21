/**
 * Begins a turn that a worker finishes.
 *
 * 1. The turn is in the journal before it is in a queue: losing the queue loses nothing.
 * 2. The row of the session is written first, so that a turn whose submitter died is found.
 * 3. Submitting the same turn again adds no second one, neither to the journal nor to the queue.
 */
import {
  assertContent,
  foldHistory,
  isLastgoodError,
  LastgoodError,
  openSession,
  readHistory,
  waitsForPerson,
  type Block,
  type Message,
  type Session,
  type SessionSummary,
  type Store,
} from '@lastgood/core'
import type { Agents } from './agents.ts'
import type { DueIndex, Priority } from './due-index.ts'
import { queuedLookMs } from './feeder.ts'
import type { ResolvedClient } from './options.ts'
import type { Queues } from './queue.ts'

export interface SubmitOptions {
  /** The name of the agent that runs it. */
  agent: string
  /** `interactive` comes before `batch`. Default `batch`. */
  priority?: Priority
  /** The number of the turn: a turn that was begun is not begun again. For programs that may be restarted. */
  turn?: number
}

export interface Submitted {
  readonly sessionId: string
  readonly agent: string
  readonly turn: number
  /** False: this very turn had been submitted before. */
  readonly isNew: boolean
  /** Why no worker continues the turn before a person has; undefined if one does. */
  readonly waitsFor?: string | undefined
}

export interface SubmitParts {
  readonly options: ResolvedClient
  readonly index: DueIndex
  readonly queues: Queues
  readonly agents: Agents
}

/** When the row is looked at if the submitter dies. A row that turns out to be needless costs that one look. */
const unfinishedLookMs = 10_000
/** How long a worker may take to give a session back after its turn, and how often that is looked for. */
const [givenBackMs, givenBackLookMs] = [2_000, 50]

/** Errors: `bad-option` (another turn is open), `session-busy`, `store-unavailable`, and those of `openSession`. */
export async function submit(
  parts: SubmitParts,
  sessionId: string,
  input: string | Block[],
  asked: SubmitOptions,
): Promise<Submitted> {
  const { store } = parts.options
  // JavaScript callers may leave anything out.
  const { agent, priority = 'batch', turn } = (asked as SubmitOptions | undefined) ?? ({} as Partial<SubmitOptions>)
  assertContent(input, 'input')
  if (typeof agent !== 'string' || agent === '') throw bad('agent', 'must be the name of the agent that runs the turn')
  assertPriority(priority)
  if (turn !== undefined) assertTurn(turn)
  const wanted: Wanted = { sessionId, message: { role: 'user', content: input }, agent, turn }
  const there = await store.summary(sessionId)
  const before = there && (await begunBefore(store, there, wanted))
  const isParked = before && before.turn > there.head.lastGoodTurn && waitsForPerson(there.head)
  const waitsFor = isParked ? (there.head.reason ?? there.head.status) : undefined
  if (before?.is === 'over') return { sessionId, agent, turn: before.turn, isNew: false, waitsFor }
  await announce(parts, sessionId, agent)
  if (before?.is === 'open' && there?.holder) return { sessionId, agent, turn: before.turn, isNew: false, waitsFor }
  const begun = before ?? (await begin(parts.options, wanted))
  await queue(parts, { sessionId, agent, priority, ...begun })
  return { sessionId, agent, turn: begun.turn, isNew: begun.is === 'new', waitsFor }
}

/** Before anything else, so that a turn whose submitter dies is found. */
export async function announce({ index, agents }: SubmitParts, sessionId: string, agent: string): Promise<void> {
  await agents.enlist(agent)
  await index.putIfMissing(sessionId, unfinishedLookMs)
}

/** Queues a turn that is in the journal. */
export async function queue(
  { options, index, queues }: SubmitParts,
  { sessionId, agent, priority, is, turn, seq }: Begun & { sessionId: string; agent: string; priority: Priority },
): Promise<void> {
  await queues.add(agent, sessionId, seq, priority)
  if (is === 'open' && priority === 'interactive') await queues.hurry(agent, sessionId, seq)
  await index.put(sessionId, queuedLookMs, priority)
  options.tell({ kind: 'submitted', sessionId, agent, turn })
}

interface Wanted {
  readonly sessionId: string
  readonly message: Message
  readonly agent: string
  readonly turn: number | undefined
}

export interface Begun {
  readonly is: 'new' | 'open' | 'over'
  readonly turn: number
  /** The last entry. */
  readonly seq: number
}

/** The turn, if it was begun before. Takes no lease. Errors: `bad-option` if another turn is open. */
async function begunBefore(store: Store, { head }: SessionSummary, wanted: Wanted): Promise<Begun | undefined> {
  const { turn, lastGoodTurn, seq } = head
  if (wanted.turn !== undefined && wanted.turn <= lastGoodTurn) return { is: 'over', turn: wanted.turn, seq }
  const isRefused = head.machine.value === 'refused'
  // The number identifies the turn, whatever became of it.
  if (isRefused && wanted.turn === turn) return { is: 'over', turn, seq }
  if (turn === lastGoodTurn || isRefused) return undefined
  const { transcript } = await foldHistory(readHistory(store, wanted.sessionId), head.machine.version, head)
  return openTurn(transcript, head.agent, { turn, seq }, wanted, waitsForPerson(head))
}

async function begin(options: ResolvedClient, wanted: Wanted): Promise<Begun> {
  const { sessionId, message, agent } = wanted
  const session = await openRested(sessionId, options)
  try {
    // A refused input would be refused again: the new input takes its place.
    if (session.state === 'refused') await session.rewind(session.lastGoodTurn, 'other words after a refusal')
    if (session.hasOpenTurn) return openTurn(session.transcript, session.agent, session, wanted)
    if ((wanted.turn ?? session.turn + 1) !== session.turn + 1) {
      const next = session.turn + 1
      throw new LastgoodError(
        'bad-option',
        `turn cannot be ${wanted.turn}: the next turn of session ${sessionId} is ${next}`,
        { hint: `make it ${next}, or leave the turn out`, details: { field: 'turn' } },
      )
    }
    await session.startTurn([message], agent)
    return { is: 'new', turn: session.turn, seq: session.seq }
  } finally {
    await session.close()
  }
}

/** Opens a session without an open turn: the worker that ended the last one may not have given it back yet. */
async function openRested(sessionId: string, { session: options, clock }: ResolvedClient): Promise<Session> {
  const since = clock.elapsed()
  for (;;) {
    try {
      return await openSession(sessionId, options)
    } catch (error) {
      if (!isLastgoodError(error, 'session-busy') || clock.elapsed() - since >= givenBackMs) throw error
    }
    await clock.sleepUntil(clock.now() + givenBackLookMs)
  }
}

/** The open turn, if it is the wanted one. Errors: `bad-option`. */
function openTurn(
  transcript: { wasBegunWith(message: Message): boolean },
  agent: string | undefined,
  { turn, seq }: { turn: number; seq: number },
  wanted: Wanted,
  isParked = false,
): Begun {
  const isWanted = wanted.turn === undefined ? transcript.wasBegunWith(wanted.message) : wanted.turn === turn
  if (isWanted && agent === wanted.agent) return { is: 'open', turn, seq }
  const { sessionId } = wanted
  const whose = agent === undefined ? '' : ` for agent ${agent}`
  throw new LastgoodError(
    'bad-option',
    `session ${sessionId}: turn ${turn} is open${whose}, and a session has one open turn at a time`,
    {
      hint: isParked
        ? `it waits for a person: lastgood resume ${sessionId}; to let a worker continue it: lastgood submit ${sessionId}`
        : `wait until it ends: lastgood watch ${sessionId}; to give it up: lastgood rewind ${sessionId} --turn ${turn - 1}`,
      details: { sessionId, turn },
    },
  )
}

/** Throws `bad-option` if `turn` cannot be the number of a turn. */
export function assertTurn(turn: unknown): void {
  if (!Number.isInteger(turn) || Number(turn) < 1) throw bad('turn', 'must be a turn number: a whole number above 0')
}

export function assertPriority(priority: unknown): void {
  if (priority !== 'batch' && priority !== 'interactive') throw bad('priority', 'must be interactive or batch')
}

function bad(field: string, what: string): LastgoodError {
  return new LastgoodError('bad-option', `${field} ${what}`, {
    hint: "submit(sessionId, input, { agent: 'coder', priority: 'interactive' })",
    details: { field },
  })
}
