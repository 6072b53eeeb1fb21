/** Writes the entries of a file in batches, and folds them on the way: the last append has the head that they lead to. */
import { keptApart } from '../blobs.ts'
import { factsAfter, headAfter, type SessionFacts } from '../checkpoint.ts'
import type { Clock } from '../clock.ts'
import { type Entry, journalVersion } from '../journal.ts'
import { initialSnapshot, step } from '../machine.ts'
import type { Head, Lease, Store } from '../store.ts'
import { Transcript } from '../transcript.ts'
import type { VerifiedExport } from './export-file.ts'
import { unfinishedHead } from './unfinished.ts'

/** One append has so many entries at most, or so much text. */
const batchEntries = 200
const batchText = 1_000_000

export class ImportWriter {
  readonly #store: Store
  readonly #lease: Lease
  readonly #file: VerifiedExport
  readonly #clock: Clock
  /** Entries that the store has. */
  #written: number
  readonly #transcript = new Transcript()
  #snapshot = initialSnapshot
  #facts: SessionFacts = {}
  #batch: Entry[] = []
  #text = 0

  /** `written`: entries that are there from the last time. */
  constructor(store: Store, lease: Lease, file: VerifiedExport, written: number, clock: Clock) {
    this.#store = store
    this.#lease = lease
    this.#file = file
    this.#clock = clock
    this.#written = written
  }

  async take(entry: Entry): Promise<void> {
    this.#transcript.apply(entry)
    this.#snapshot = step(this.#snapshot, entry).snapshot
    this.#facts = factsAfter(this.#facts, entry)
    if (entry.seq <= this.#written) return
    this.#batch.push({ ...entry, fence: this.#lease.fence })
    this.#text += JSON.stringify(entry).length
    if (this.#batch.length < batchEntries && this.#text < batchText) return
    await this.#append(unfinishedHead(this.#lease.sessionId, entry.seq, this.#clock.now(), this.#file))
  }

  /** The rest, and the entry that makes a session of it. */
  async finish(machineVersion: string): Promise<Head> {
    const { sessionId, fence } = this.#lease
    const { sessionId: from, entries, sha256 } = this.#file
    const stamp = { v: journalVersion, seq: entries + 1, at: this.#clock.now(), fence, lane: 'main' } as const
    const last: Entry = { type: 'session-imported', sessionId: from, entries, sha256, ...stamp }
    const { agent, envelope } = this.#transcript
    const known = { sessionId, facts: this.#facts, agent, model: envelope?.body.model, machineVersion }
    const head = headAfter(known, [last], this.#snapshot)
    this.#batch.push(last)
    await this.#append(head)
    return head
  }

  async #append(head: Head): Promise<void> {
    const kept = this.#batch.map(keptApart)
    for (const { blob } of kept) if (blob) await this.#store.putBlob(this.#lease, blob.name, blob.text)
    const stored = kept.map((one) => one.stored)
    this.#written = await this.#store.append(this.#lease, this.#written, stored, head)
    this.#batch = []
    this.#text = 0
  }
}
