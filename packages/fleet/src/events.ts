/** What a fleet tells: ids, names, codes and instants; never content. */

export type FleetEvent =
  /** A turn is recorded and queued. */
  | { kind: 'submitted'; sessionId: string; agent: string; turn: number }
  /** A worker of this process goes on with it. `starts`: with those before it whose end nobody saw. */
  | { kind: 'started'; sessionId: string; agent: string; turn: number; starts: number }
  | { kind: 'ended'; sessionId: string; agent: string; turn: number }
  /** It waits for an instant, here for nothing. */
  | { kind: 'waiting'; sessionId: string; agent: string; until: number; reason: string }
  /** Parked; with `until` it goes on by itself then. */
  | { kind: 'suspended'; sessionId: string; agent: string; until?: number; reason: string }
  /** This process stops; another one goes on. */
  | { kind: 'handed-over'; sessionId: string; agent: string }
  /** It has another writer now. */
  | { kind: 'lost'; sessionId: string; agent: string }
  /** The agent threw; it is tried again in so long. */
  | { kind: 'failed'; sessionId: string; agent: string; code: string; againInMs: number }
  /** Parked for a person after a row of starts that did not end. */
  | { kind: 'set-aside'; sessionId: string; agent: string; starts: number }
  /** It cannot be opened here: its journal is newer, or damaged. Told once. */
  | { kind: 'unreadable'; sessionId: string; code: string }
  /** Redis or the store cannot answer; the fleet asks again. Told once until it can. */
  | { kind: 'trouble'; where: 'due-index' | 'queue' | 'sweep' | 'recovery' | 'session'; code: string; message: string }
  | { kind: 'trouble-over'; where: 'due-index' | 'queue' | 'sweep' | 'recovery' | 'session' }

export type Tell = (event: FleetEvent) => void
