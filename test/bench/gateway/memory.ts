/** What open streams cost in memory, in a contender that was just started. */
import { setTimeout as sleep } from 'node:timers/promises'
import { askOnce } from './ask.ts'
import type { Contender, ContenderName } from './contenders.ts'
import type { Lab } from './lab.ts'
import { residentOf } from '../process-facts.ts'
import { Talk } from './talk.ts'

/** Resident memory of the process, MB. */
export interface Memory {
  readonly name: ContenderName
  readonly streams: number
  readonly before: number
  /** While all streams are open, each in a session of its own. */
  readonly open: number
  /** `settlingMs` after they have ended. */
  readonly after: number
}

const openedAtOnce = 16

export interface MemoryOptions {
  readonly streams: number
  /** Of each request. */
  readonly messages: number
  /** The pause after the end of the streams. */
  readonly settlingMs: number
}

export async function measureMemory(
  { name, url, pid = process.pid }: Contender,
  lab: Lab,
  { streams, messages, settlingMs }: MemoryOptions,
): Promise<Memory> {
  await lab.answer({ kind: 'stream', deltas: 20, everyMs: 0, call: false })
  for (let at = 0; at < 20; at += 1) await askOnce(url, new Talk(`warm-up-${at}`, messages), { stream: true })
  const before = residentOf(pid)
  await lab.answer({ kind: 'held' })
  const ending: Promise<unknown>[] = []
  const opened = Array.from({ length: streams }, (_, at) => at)
  const opener = async () => {
    for (let at = opened.pop(); at !== undefined; at = opened.pop()) {
      const talk = new Talk(`held-${at}`, messages)
      await new Promise<void>((resolve, reject) => {
        const ended = askOnce(url, talk, { stream: true, onFirst: resolve })
        ended.catch(reject)
        ending.push(ended)
      })
    }
  }
  await Promise.all(Array.from({ length: openedAtOnce }, opener))
  const open = residentOf(pid)
  await lab.release()
  await Promise.all(ending)
  await sleep(settlingMs)
  return { name, streams, before, open, after: residentOf(pid) }
}
