/** What a fleet reports: ids, names, codes and instants; never content. */

export type FleetEvent =
  /** A turn is recorded and queued. */
  | { kind: 'submitted'; sessionId: string; agent: string; turn: number }
  /** A worker of this process continues it. `starts`: this start and those before it whose end was not seen. */
  | { kind: 'started'; sessionId: string; agent: string; turn: number; starts: number }
  | { kind: 'ended'; sessionId: string; agent: string; turn: number }
  /** It is closed and waits for an instant; nothing of it runs here. */
  | { kind: 'waiting'; sessionId: string; agent: string; until: number; reason: string }
  /** Suspended; with `until`, the fleet continues it then. */
  | { kind: 'suspended'; sessionId: string; agent: string; until?: number; reason: string }
  /** This process stops; another one continues it. */
  | { kind: 'handed-over'; sessionId: string; agent: string }
  /** It has another writer now. */
  | { kind: 'lost'; sessionId: string; agent: string }
  /** The agent threw; it is tried again in `againInMs`. */
  | { kind: 'failed'; sessionId: string; agent: string; code: string; againInMs: number }
  /** Suspended for a person after `starts` starts in a row without a finished step. */
  | { kind: 'set-aside'; sessionId: string; agent: string; starts: number }
  /** It cannot be opened here: its journal is newer, or damaged. Reported once. */
  | { kind: 'unreadable'; sessionId: string; code: string }
  /**
   * Redis or the store cannot answer; the fleet asks again. Reported once until it can; of a queue and of sessions, which
   * have no `trouble-over`, every ten seconds at most. `hint`: what to do if it lasts.
   */
  | {
      kind: 'trouble'
      where: 'due-index' | 'queue' | 'sweep' | 'recovery' | 'session'
      code: string
      message: string
      hint?: string
    }
  | { kind: 'trouble-over'; where: 'due-index' | 'queue' | 'sweep' | 'recovery' | 'session' }

export type Tell = (event: FleetEvent) => void
