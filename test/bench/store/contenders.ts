/**
 * The contenders: the floor of a medium, which only makes the same bytes durable; the store; and a session on the
 * store. The floors get their bytes ready-made, while a store writes its JSON inside the measured time.
 */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { openSession, type Head, type Lease, type Owner, type Store } from '@lastgood/core'
import type { Redis } from 'ioredis'
import { beginning, bodiesOf, entriesPerStep, stepOf, type Size, type Step } from './workload.ts'

export const roles = ['floor', 'append', 'record'] as const
/** `append` is the store alone, `record` a session on it. */
export type Role = (typeof roles)[number]

export interface Writer {
  /** Prepares checkpoint `step`; calling the returned function commits it. */
  prepare(step: number): () => Promise<unknown>
  close(): Promise<void>
}

export interface Medium {
  readonly name: string
  readonly store: Store
  /** The process id of its server; undefined if there is none. */
  readonly serverPid: number | undefined
  open(role: Role, id: string, size?: Size): Promise<Writer>
}

const leaseMs = 3_600_000

export function redisMedium(name: string, client: Redis, store: Store, head: Head, serverPid: number): Medium {
  return {
    name,
    store,
    serverPid,
    open: (role, id, size) => writerFor(role, id, store, head, () => evalFloor(client, id, head), size),
  }
}

export function fileMedium(folder: string, store: Store, head: Head): Medium {
  return {
    name: 'file',
    store,
    serverPid: undefined,
    open: (role, id, size) => writerFor(role, id, store, head, () => appendFloor(join(folder, id), head), size),
  }
}

async function writerFor(
  role: Role,
  id: string,
  store: Store,
  head: Head,
  floor: () => Promise<Writer>,
  size?: Size,
): Promise<Writer> {
  if (role === 'floor') return floor()
  return role === 'append' ? storeWriter(store, id, head) : sessionWriter(store, id, size)
}

async function storeWriter(store: Store, id: string, head: Head): Promise<Writer> {
  const owner: Owner = { id: `owner of ${id}`, host: 'bench', realm: 'bench', pid: process.pid }
  const lease = (await store.acquire(id, owner, leaseMs)) as Lease
  return {
    prepare(step) {
      const { afterSeq, entries, head: next } = stepOf(step, id, lease.fence, head)
      return () => store.append(lease, afterSeq, entries, next)
    },
    close: () => store.release(lease),
  }
}

async function sessionWriter(store: Store, id: string, size?: Size): Promise<Writer> {
  const session = await openSession(id, { store, leaseMs, cwd: '/home/ann/project' })
  if (session.seq === 0) await session.record(beginning)
  return {
    prepare(step) {
      const bodies = bodiesOf(step, size)
      return () => session.record(bodies)
    },
    close: () => session.close(),
  }
}

/** What any journal on Redis has to do: compare fence and sequence, add the entries, replace the head. */
const floorScript = `
local known = redis.call('HMGET', KEYS[1], 'fence', 'seq')
if known[1] ~= ARGV[1] or known[2] ~= ARGV[2] then return 0 end
redis.call('RPUSH', KEYS[2], unpack(ARGV, 5))
redis.call('HSET', KEYS[1], 'seq', ARGV[3], 'head', ARGV[4])
return 1`

async function evalFloor(client: Redis, id: string, head: Head): Promise<Writer> {
  const keys = [`floor:{${id}}:session`, `floor:{${id}}:journal`]
  await client.hset(keys[0]!, 'fence', '1', 'seq', '0')
  await client.script('LOAD', floorScript)
  const sha1 = createHash('sha1').update(floorScript).digest('hex')
  return {
    prepare(step) {
      const { afterSeq, texts, headText } = textsOf(stepOf(step, id, 1, head))
      const args = [...keys, '1', String(afterSeq), String(afterSeq + entriesPerStep), headText, ...texts]
      return async () => {
        if ((await client.evalsha(sha1, keys.length, ...args)) !== 1) throw new Error('the floor was refused')
      }
    },
    close: async () => {},
  }
}

async function appendFloor(path: string, head: Head): Promise<Writer> {
  const handle = await open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o600)
  const hash = '0'.repeat(64)
  return {
    prepare(step) {
      const { afterSeq, entries, head: next } = stepOf(step, path, 1, head)
      const line = {
        hash,
        size: 10_000,
        v: 1,
        prev: hash,
        fence: 1,
        seq: afterSeq + entriesPerStep,
        entries,
        head: next,
      }
      const bytes = Buffer.from(`\n${JSON.stringify(line)}\n`)
      return async () => {
        await handle.write(bytes, 0, bytes.length, null)
        await handle.datasync()
      }
    },
    close: () => handle.close(),
  }
}

function textsOf({ afterSeq, entries, head }: Step) {
  return { afterSeq, texts: entries.map((entry) => JSON.stringify(entry)), headText: JSON.stringify(head) }
}
