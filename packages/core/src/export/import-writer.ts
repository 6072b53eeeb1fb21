/**
 * Writes the entries of a file in batches and folds them on the way: the last append has the head that they lead to.
 * Entries left by an earlier attempt must equal the file's: the file may have changed since.
 */
import { isDeepStrictEqual } from 'node:util'
import { factsAfter, headAfter, type SessionFacts } from '../session/checkpoint.ts'
import { type Entry, journalVersion } from '../journal/journal.ts'
import { initialSnapshot, step } from '../machine/machine-step.ts'
import { appendPatiently, type Asking } from '../store/patient-append.ts'
import type { Head } from '../store/head.ts'
import { Transcript } from '../journal/transcript.ts'
import type { VerifiedExport } from './export-file.ts'
import { anotherImport, importingHead } from '../store/unfinished.ts'

/** The limits of one append: entries, and characters of their JSON. */
const batchEntries = 200
const batchText = 1_000_000

/** What an earlier attempt left. */
export interface LeftEntries {
  count: number
  entries: AsyncIterator<Entry>
}

export class ImportWriter {
  readonly #target: Asking
  readonly #file: VerifiedExport
  readonly #left: LeftEntries
  /** How many entries the store has. */
  #written: number
  readonly #transcript = new Transcript()
  #snapshot = initialSnapshot
  #facts: SessionFacts = {}
  #batch: Entry[] = []
  #text = 0

  constructor(target: Asking, file: VerifiedExport, left: LeftEntries) {
    this.#target = target
    this.#file = file
    this.#left = left
    this.#written = left.count
  }

  async take(entry: Entry): Promise<void> {
    if (entry.seq <= this.#left.count) await this.#compare(entry)
    this.#transcript.apply(entry)
    this.#snapshot = step(this.#snapshot, entry).snapshot
    this.#facts = factsAfter(this.#facts, entry)
    if (entry.seq <= this.#written) return
    this.#batch.push({ ...entry, fence: this.#target.lease.fence })
    this.#text += JSON.stringify(entry).length
    if (this.#batch.length < batchEntries && this.#text < batchText) return
    const { lease, clock } = this.#target
    await this.#append(importingHead(lease.sessionId, entry.seq, clock.now(), this.#file))
  }

  /** Writes the rest, and the entry that completes the session. */
  async finish(machineVersion: string): Promise<Head> {
    const { lease, clock } = this.#target
    const { sessionId, fence } = lease
    const { sessionId: from, entries, sha256 } = this.#file
    const stamp = { v: journalVersion, seq: entries + 1, at: clock.now(), fence, lane: 'main' } as const
    const last: Entry = { type: 'session-imported', sessionId: from, entries, sha256, ...stamp }
    const { agent, envelope } = this.#transcript
    const known = { sessionId, facts: this.#facts, agent, model: envelope?.body.model, machineVersion }
    const head = headAfter(known, [last], this.#snapshot)
    this.#batch.push(last)
    await this.#append(head)
    return head
  }

  async #compare(entry: Entry): Promise<void> {
    const { value } = (await this.#left.entries.next()) as IteratorResult<Entry, undefined>
    const isSame = value !== undefined && isDeepStrictEqual({ ...value, fence: entry.fence }, entry)
    if (!isSame) throw anotherImport(this.#target.lease.sessionId)
  }

  async #append(head: Head): Promise<void> {
    await appendPatiently(this.#target, { afterSeq: this.#written, entries: this.#batch, head })
    this.#written = head.seq
    this.#batch = []
    this.#text = 0
  }
}
