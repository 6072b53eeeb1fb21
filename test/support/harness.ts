/** What the tests of promises share: a lab, a client, sessions on a memory store, all closed when a test ends. */
import Anthropic from '@anthropic-ai/sdk'
import { memoryStore, openSession, type Entry, type Session, type SessionOptions, type Store } from '@lastgood/core'
import { ManualClock } from '@lastgood/core/testing'
import { startLab, type Lab, type LabOptions } from '@lastgood/outage-lab'
import { onTestFinished } from 'vitest'

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
