/**
 * The journal: the append-only list of what happened in a session. These entries are also the events of the machine,
 * so one union defines both; state is their fold.
 *
 * 1. An entry is a past fact, noun first. It is never changed or removed.
 * 2. `seq` starts at 1 and has no gaps. `fence` never shrinks. `at` is the writer's clock, for people and for waits.
 * 3. What lastgood writes is strict; what the API or a caller sent inside it is kept as it came, unknown fields too.
 * 4. A reader that meets an unknown version or kind stops and says which version it needs; it never skips. What an
 *    earlier version wrote is read as if it had been written today.
 */
import { z } from 'zod'
import { isSurelyEntry } from './entry-check.ts'
import { inDoubtRules, sealedCodecs, stepOutcomes, suspendReasons, toolOutcomes } from './entry-words.ts'
import { LastgoodError, newerVersion } from '../errors.ts'
import { decisionSchema, faultSchema } from '../faults/fault.ts'
import { instantSchema } from './instant.ts'
import { sessionIdSchema } from './session-id.ts'
import { upgraded } from './upgrade.ts'
import { lazily } from '../lazily.ts'
import { sha256Schema } from '../sha256.ts'

/** The entry format that this release writes; `upgrade.ts` says what changed. Raised when older readers could err. */
export const journalVersion = 3

/** A content block as the API has it. Unknown kinds and fields pass through. */
export const blockSchema = lazily(() => z.looseObject({ type: z.string() }))
export type Block = z.infer<ReturnType<typeof blockSchema>>

export const messageSchema = lazily(() =>
  z.looseObject({
    role: z.string(),
    content: z.union([z.string(), z.array(blockSchema())]),
  }),
)
export type Message = z.infer<ReturnType<typeof messageSchema>>

/** The assistant's message as the API returned it. */
export const assistantMessageSchema = lazily(() =>
  z.looseObject({
    id: z.string(),
    role: z.literal('assistant'),
    model: z.string(),
    content: z.array(blockSchema()),
    stop_reason: z.string().nullable(),
    usage: z.looseObject({}).optional(),
  }),
)
export type AssistantMessage = z.infer<ReturnType<typeof assistantMessageSchema>>

/** Everything in a request but the conversation: pinned, so that what is re-sent is what was sent. */
export const envelopeSchema = lazily(() =>
  z.strictObject({
    /** The request body without `messages`, `stream` and `thread`, keys in the order they were sent. */
    body: z.looseObject({ model: z.string() }),
    /** `anthropic-version` as sent. */
    apiVersion: z.string().optional(),
    /** `anthropic-beta` values as sent. */
    betas: z.array(z.string()),
  }),
)
export type Envelope = z.infer<ReturnType<typeof envelopeSchema>>

/** Who holds or held a session. */
export const ownerSchema = lazily(() =>
  z.strictObject({
    /** Unique for each opened session. */
    id: z.string(),
    host: z.string(),
    /** Tells whether `pid` is of our own process table: boot and pid namespace, where the system has them. */
    realm: z.string(),
    pid: z.number(),
  }),
)
export type Owner = z.infer<ReturnType<typeof ownerSchema>>

/** One of `inDoubtRules`. */
export type InDoubt = (typeof inDoubtRules)[number]

/** Stands in the journal for a text that is kept beside it. */
const blobRefSchema = lazily(() =>
  z.strictObject({
    /** Its SHA-256, in hex. */
    name: sha256Schema(),
    /** Its length in UTF-8. */
    bytes: z.number().int().min(0),
  }),
)

/** A place in another session's journal: everything up to and including entry `seq`. */
export const originSchema = lazily(() =>
  z.strictObject({
    sessionId: sessionIdSchema(),
    seq: z.number().int().min(1),
    /** When that entry was written, which tells whether it is still the same journal. Absent in the first forks. */
    at: instantSchema().optional(),
  }),
)
export type Origin = z.infer<ReturnType<typeof originSchema>>

/** One repair of a request. */
export const repairSchema = lazily(() =>
  z.strictObject({
    rule: z.string(),
    /** Index of the recorded message; absent for the request as a whole. */
    message: z.number().int().min(0).optional(),
    /** What was done, for people: names, counts and sizes, no content. */
    what: z.string(),
  }),
)
export type RepairNote = z.infer<ReturnType<typeof repairSchema>>

/** In the outgoing copy, `insert` replaces the recorded messages from `from` up to, not including, `to`. */
export const editSchema = lazily(() =>
  z.strictObject({
    from: z.number().int().min(0),
    to: z.number().int().min(0),
    insert: z.array(messageSchema()),
  }),
)
export type Edit = z.infer<ReturnType<typeof editSchema>>

/** The kinds of entries. */
const bodies = lazily(
  () =>
    [
      z.strictObject({
        type: z.literal('session-opened'),
        owner: ownerSchema(),
        cwd: z.string().optional(),
        /** The lastgood version that wrote it. */
        writer: z.string(),
      }),
      z.strictObject({ type: z.literal('envelope-changed'), envelope: envelopeSchema() }),
      /** What the caller put before the model: a user message, or a history that it brought along. */
      z.strictObject({
        type: z.literal('turn-started'),
        turn: z.number().int(),
        /** Name of the agent that runs it, so that `resume` can continue it; absent for a caller's own loop. */
        agent: z.string().optional(),
        messages: z.array(messageSchema()),
      }),
      /** What the caller added inside a turn: the results of tools that it ran itself, a steering message. */
      z.strictObject({ type: z.literal('turn-continued'), messages: z.array(messageSchema()) }),
      z.strictObject({ type: z.literal('request-sent'), model: z.string(), attempt: z.number().int() }),
      /** Nothing is sent before this instant (epoch ms): a breaker or a limiter holds it, or a wait was shortened. */
      z.strictObject({ type: z.literal('request-held'), until: instantSchema(), reason: z.string() }),
      /** Another rung of the ladder takes over; 0 is the model that the caller asked for. */
      z.strictObject({
        type: z.literal('rung-changed'),
        rung: z.number().int().min(0),
        model: z.string(),
        /** For people; no content. */
        reason: z.string(),
      }),
      /** The API has accepted a request that was repaired on its way out. The recorded messages stay as they are. */
      z.strictObject({
        type: z.literal('transcript-repaired'),
        repairs: z.array(repairSchema()),
        edits: z.array(editSchema()),
        /** Rules for the request as a whole, applied to every later request too. */
        standing: z.array(z.string()),
      }),
      /** All repairs are taken back: requests carry the messages as recorded again. */
      z.strictObject({ type: z.literal('repairs-reverted'), reason: z.string() }),
      z.strictObject({
        type: z.literal('response-received'),
        message: assistantMessageSchema(),
        requestId: z.string().optional(),
        /** The stream was cut and only complete blocks were kept. */
        salvaged: z.literal(true).optional(),
      }),
      /** The intent: durable before the tool starts, or before the call is handed to a caller that runs it. */
      z.strictObject({
        type: z.literal('tool-started'),
        toolUseId: z.string(),
        name: z.string(),
        inDoubt: z.enum(inDoubtRules),
      }),
      z.strictObject({
        type: z.literal('tool-finished'),
        toolUseId: z.string(),
        /** The exact tool_result block that the model gets. */
        result: blockSchema(),
        outcome: z.enum(toolOutcomes),
      }),
      /** The intent of a step of the caller's own, durable before it runs; see `step-ledger.ts`. */
      z.strictObject({
        type: z.literal('step-started'),
        stepId: z.string(),
        name: z.string(),
        inDoubt: z.enum(inDoubtRules),
      }),
      z.strictObject({
        type: z.literal('step-finished'),
        stepId: z.string(),
        name: z.string().optional(),
        outcome: z.enum(stepOutcomes),
        /** What it returned, as JSON, absent when it returned nothing; the message of what it threw. */
        value: z.unknown().optional(),
      }),
      z.strictObject({ type: z.literal('fault-observed'), fault: faultSchema(), decision: decisionSchema() }),
      z.strictObject({
        type: z.literal('session-suspended'),
        reason: z.enum(suspendReasons),
        /** For people; no content. */
        detail: z.string(),
        /** When a next try makes sense, epoch ms. */
        retryAt: instantSchema().optional(),
      }),
      z.strictObject({
        type: z.literal('session-resumed'),
        owner: ownerSchema(),
        /** The head's snapshot was of another machine version, so the journal was folded anew. */
        refolded: z.literal(true).optional(),
      }),
      z.strictObject({ type: z.literal('turn-ended'), turn: z.number().int() }),
      /** The first entry of the fork's own; what comes before it is another session's journal. */
      z.strictObject({ type: z.literal('session-forked'), origin: originSchema(), reason: z.string() }),
      /**
       * The entries before are another session's: read from its exported file, of which the last was the `entries`-th,
       * or, in the file of a fork, inherited from it.
       */
      z.strictObject({
        type: z.literal('session-imported'),
        /** That session's name. */
        sessionId: sessionIdSchema(),
        entries: z.number().int().min(1),
        /** SHA-256 of the file's entries, in hex. */
        sha256: z.string(),
      }),
      /** When the session may be pruned: `ttlMs` after its last entry, only on request (null), or never (`pinned`). */
      z.strictObject({
        type: z.literal('retention-changed'),
        ttlMs: z.number().positive().nullable(),
        pinned: z.boolean(),
      }),
      /** An entry of unusual size, whose body is kept beside the journal; see `blobs.ts`. */
      z.strictObject({ type: z.literal('kept-apart'), of: z.string(), blob: blobRefSchema() }),
      /** An entry as an `at-rest` decorator stores it, its stamp in the clear; nobody else writes or sees it. */
      z.strictObject({
        type: z.literal('sealed'),
        codec: z.enum(sealedCodecs),
        /** Id of the key, where there is one. */
        key: z.string().optional(),
        /** Base64. */
        data: z.string(),
      }),
      /** The conversation goes on from its first `messages` messages; `turn` and `lastGoodTurn` are counted there. */
      z.strictObject({
        type: z.literal('rewound'),
        messages: z.number().int().min(0),
        turn: z.number().int().min(0),
        lastGoodTurn: z.number().int().min(0),
        /** For people; no content. */
        reason: z.string(),
      }),
    ] as const,
)

export const entryBodySchema = lazily(() => z.discriminatedUnion('type', [...bodies()]))
export type EntryBody = z.infer<ReturnType<typeof entryBodySchema>>
export type EntryType = EntryBody['type']

/** What the writer adds to a body. */
const stampSchema = lazily(() =>
  z.strictObject({
    v: z.literal(journalVersion),
    seq: z.number().int().min(1),
    /** Epoch ms, the writer's clock. */
    at: instantSchema(),
    fence: z.number().int().min(1),
    lane: z.literal('main'),
  }),
)
export type Entry = EntryBody & z.infer<ReturnType<typeof stampSchema>>

/** The entry in `stored`, an already parsed JSON value read from `place` (for messages: a file and line, a key). */
export function parseEntry(stored: unknown, place: string): Entry {
  if (isSurelyEntry(stored, journalVersion)) return stored as Entry
  const value = upgraded(stored)
  if (value !== stored && isSurelyEntry(value, journalVersion)) return value as Entry
  const { v, seq, at, fence, lane, ...rest } = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >
  if ((typeof v === 'number' && v > journalVersion) || (v === journalVersion && !isEntryType(rest['type']))) {
    throw newerVersion(`${place}: an entry ${JSON.stringify(rest['type'])}`, v, journalVersion)
  }
  const stamp = stampSchema().safeParse({ v, seq, at, fence, lane })
  const body = entryBodySchema().safeParse(rest)
  // The value itself, not zod's copy: that has its keys in the schema's order, and a request is pinned as sent.
  if (stamp.success && body.success) return value as Entry
  throw new LastgoodError(
    'journal-corrupt',
    `${place}: not a journal entry (${firstIssue(stamp.error ?? body.error)})`,
    {
      hint: 'lastgood show <sessionId> shows the part before it; restore the journal from a copy to continue',
    },
  )
}

/** `entry` itself. Errors: `bad-option` where no reader would accept it, so that it must not be written. */
export function soundEntry(entry: Entry): Entry {
  if (isSurelyEntry(entry, journalVersion)) return entry
  const { v: _v, seq: _seq, at: _at, fence: _fence, lane: _lane, ...rest } = entry
  const { error } = entryBodySchema().safeParse(rest)
  if (!error) return entry
  throw new LastgoodError(
    'bad-option',
    `${entry.type} cannot be recorded (${firstIssue(error)}); nothing was written`,
    {
      hint: isOfMessage(error)
        ? 'a message has a role, and a string or a list of blocks; a block is an object with a type'
        : `${error.issues[0]?.path.join('.')}: ${error.issues[0]?.message}`,
    },
  )
}

function isEntryType(type: unknown): boolean {
  return bodies().some((body) => body.shape.type.value === type)
}

const isOfMessage = ({ issues }: z.ZodError): boolean => String(issues[0]?.path[0]).startsWith('message')

/** Field and cause of the first issue, never the value. */
export function firstIssue(error: z.ZodError | undefined): string {
  const issue = error?.issues[0]
  return issue ? `${issue.path.join('.') || 'entry'}: ${issue.code}` : 'unreadable'
}
