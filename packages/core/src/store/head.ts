/**
 * The head: the checkpoint of a session as a store keeps it, replaced with every append. A cache of the fold, whose size
 * does not grow with the session.
 */
import { z } from 'zod'
import { LastgoodError, newerVersion } from '../errors.ts'
import { isOrigin } from '../journal/entry-check.ts'
import { originSchema } from '../journal/journal.ts'
import { instantSchema, isInstant } from '../journal/instant.ts'
import { isSessionId, sessionIdSchema } from '../journal/session-id.ts'
import { isRecord } from '../json.ts'
import { hasJust, isNumber, isOneOf, isText, isTrue, isWhole, isWholeFrom, type Fields } from '../journal/surely.ts'
import { upgraded } from '../journal/upgrade.ts'
import { lazily } from '../lazily.ts'

/** What a session is doing, for lists and pickers. */
export const sessionStatuses = [
  /** Between turns. */
  'idle',
  /** In a turn: a request or tools are in flight, or were when its process died. */
  'running',
  /** Waiting for an instant to try again. */
  'waiting',
  /** Parked with a reason. */
  'suspended',
  /** Parked until a person decides. */
  'needs-input',
] as const
export type SessionStatus = (typeof sessionStatuses)[number]

export const headVersion = 3

export const headSchema = lazily(() =>
  z.strictObject({
    v: z.literal(headVersion),
    sessionId: sessionIdSchema(),
    /** Sequence of the last entry that the head knows of. */
    seq: z.number().int().min(0),
    status: z.enum(sessionStatuses),
    agent: z.string().optional(),
    cwd: z.string().optional(),
    model: z.string().optional(),
    /** Turns started and turns ended. */
    turn: z.number().int(),
    lastGoodTurn: z.number().int(),
    /** Why it is waiting or parked, for people. */
    reason: z.string().optional(),
    /** Epoch ms of the next try, while waiting or parked. */
    dueAt: instantSchema().optional(),
    /** Epoch ms of the first and of the last entry. */
    createdAt: instantSchema(),
    updatedAt: instantSchema(),
    /** Of a fork: the place in its parent where it begins. */
    origin: originSchema().optional(),
    /** It may be pruned this long after `updatedAt`; absent: only on request. */
    ttlMs: z.number().optional(),
    /** It is never pruned. */
    pinned: z.literal(true).optional(),
    /** The machine's state, valid only for this version of the machine. */
    machine: z.strictObject({ version: z.string(), value: z.string(), context: z.looseObject({}) }),
  }),
)
export type Head = z.infer<ReturnType<typeof headSchema>>

/**
 * The head of session `sessionId` in `stored`, an already parsed JSON value read from `place`. A head that names
 * another session is damage: callers build file names and commands from it. Errors: `journal-version`,
 * `journal-corrupt`.
 */
export function parseHead(stored: unknown, place: string, sessionId: string): Head {
  const value = upgraded(stored)
  if (isSurelyHead(value) && value.sessionId === sessionId) return value
  const parsed = headSchema().safeParse(value)
  if (parsed.success && parsed.data.sessionId === sessionId) return parsed.data
  if (parsed.success) throw unsoundHead(`${place}: the head belongs to another session`)
  const version = typeof value === 'object' && value !== null && 'v' in value ? value.v : undefined
  if (typeof version === 'number' && version > headVersion)
    throw newerVersion(`${place}: the head`, version, headVersion)
  throw unsoundHead(`${place}: not a head (${parsed.error.issues[0]?.path.join('.') || 'head'})`)
}

export function isSurelyHead(value: unknown): value is Head {
  return hasJust(value, headFields)
}

/** The fields of `headSchema`, checked by hand; see `surely.ts`. */
const headFields: Fields = {
  v: [isOneOf(headVersion)],
  sessionId: [isSessionId],
  seq: [isWholeFrom(0)],
  status: [isOneOf(...sessionStatuses)],
  agent: [isText, true],
  cwd: [isText, true],
  model: [isText, true],
  turn: [isWhole],
  lastGoodTurn: [isWhole],
  reason: [isText, true],
  dueAt: [isInstant, true],
  createdAt: [isInstant],
  updatedAt: [isInstant],
  origin: [isOrigin, true],
  ttlMs: [isNumber, true],
  pinned: [isTrue, true],
  machine: [(value) => hasJust(value, { version: [isText], value: [isText], context: [isRecord] })],
}

function unsoundHead(message: string): LastgoodError {
  return new LastgoodError('journal-corrupt', message, {
    hint: 'lastgood show <sessionId> --raw shows the entries themselves; restore the session from a copy to continue',
  })
}
