/** A session in a list, for programs. */
import { expiryOf, type Origin } from '@lastgood/core'
import { iso, isoOrNull } from '../durations.ts'
import { resumeCommandOf, type SessionRow } from './session-row.ts'

export function sessionJson(
  { head, holder, status, isRecoverable }: SessionRow,
  now: number,
  flags: readonly string[],
): object {
  const expiresAt = expiryOf(head)
  return {
    sessionId: head.sessionId,
    status,
    recoverable: isRecoverable,
    agent: head.agent ?? null,
    model: head.model ?? null,
    cwd: head.cwd ?? null,
    turn: head.turn,
    lastGoodTurn: head.lastGoodTurn,
    entries: head.seq,
    createdAt: iso(head.createdAt),
    updatedAt: iso(head.updatedAt),
    ageMs: Math.max(0, now - head.updatedAt),
    reason: head.reason ?? null,
    dueAt: isoOrNull(head.dueAt),
    origin: head.origin ? originJson(head.origin) : null,
    pinned: head.pinned ?? false,
    expiresAt: isoOrNull(expiresAt),
    heldBy: holder && { host: holder.owner.host, pid: holder.owner.pid, since: iso(holder.since) },
    command: resumeCommandOf(head, flags) ?? null,
  }
}

/** The entry that a fork goes on from. */
export const originJson = ({ sessionId, seq }: Origin): object => ({ sessionId, seq })
