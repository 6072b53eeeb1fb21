import type { Outgoing, RepairContext, Repaired } from './outgoing.ts'

export class TranscriptWatch {
  repair(outgoing: Outgoing, _context: RepairContext): Repaired {
    return { outgoing, repairs: [] }
  }
}
