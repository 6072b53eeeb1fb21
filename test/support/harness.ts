/** Shared by the tests of promises: a lab, a client, sessions on a memory store, all closed when a test ends. */
import Anthropic from '@anthropic-ai/sdk'
import {
  LastgoodError,
  memoryStore,
  openSession,
  type Entry,
  type EntryType,
  type Session,
  type SessionOptions,
  type Store,
} from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { startLab, type Lab, type LabOptions } from '@lastgood/outage-lab'
import { expect, onTestFinished } from 'vitest'

export async function startTestLab(options: LabOptions): Promise<{ lab: Lab; client: Anthropic }> {
  const lab = await startLab(options)
  onTestFinished(() => lab.close())
  return { lab, client: new Anthropic({ baseURL: lab.url, apiKey: 'test', logLevel: 'off' }) }
}

/** Waits cost nothing: the clock jumps to their end. */
export const jumpingClock = () => new ManualClock({ autoAdvance: true })

export async function openTestSession(store: Store = memoryStore(), options: SessionOptions = {}): Promise<Session> {
  const session = await openSession('ses', { store, clock: jumpingClock(), ...options })
  onTestFinished(() => session.close().catch(() => {})) // a test may have ended it by force
  return session
}

export async function entriesOf(store: Store, id = 'ses'): Promise<Entry[]> {
  const entries: Entry[] = []
  for await (const entry of store.read(id)) entries.push(entry)
  return entries
}

export const typesOf = async (store: Store) => (await entriesOf(store)).map((entry) => entry.type)

/** An error as the caller gets it: a code, and a hint. */
export const code = (name: string) => expect.objectContaining({ code: name, hint: expect.any(String) })

/** A store whose appends are counted, and fail as `refuse` says. */
export function watched(refuse: (appends: number) => boolean = () => false) {
  const store = memoryStore()
  const watch = {
    appends: 0,
    store: {
      ...store,
      append: async (...args: Parameters<Store['append']>) => {
        watch.appends += 1
        if (refuse(watch.appends))
          throw new LastgoodError('store-unavailable', 'the disk is full', { hint: 'free some space' })
        return store.append(...args)
      },
    } satisfies Store,
  }
  return watch
}

/** A gate at which callers wait: `reached` resolves when one does, `open` lets all of them continue. */
export class Gate {
  readonly reached: Promise<void>
  readonly #opened: Promise<void>
  #reach: () => void = () => {}
  open: () => void = () => {}

  constructor() {
    this.reached = new Promise((resolve) => (this.#reach = resolve))
    this.#opened = new Promise((resolve) => (this.open = resolve))
  }

  pass(): Promise<void> {
    this.#reach()
    return this.#opened
  }
}

/** A store that is slow with one kind of entry: its append waits at the gate. */
export function slowStore(gate: Gate, type: EntryType): Store {
  const store = memoryStore()
  return {
    ...store,
    append: async (...args: Parameters<Store['append']>) => {
      if (args[2].some((entry) => entry.type === type)) await gate.pass()
      return store.append(...args)
    },
  }
}
