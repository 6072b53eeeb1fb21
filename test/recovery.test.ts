/** The same story on every store: faults, SIGKILL while a tool runs, a redeploy, and a resume by a new process. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { foldJournal, machineVersion, type Entry, type Store } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { redisStore } from '@lastgood/redis'
import { startLab, type Lab, type RecordedRequest } from '@lastgood/outage-lab'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { recoveryOutages, recoveryStory, task } from './support/recovery-story.ts'

const program = fileURLToPath(new URL('./fixtures/counting-agent.mjs', import.meta.url))
const elsewhere = { id: 'b', host: 'other-host', realm: 'other-realm', pid: 1 }

let lab: Lab
let dir: string
const children: ChildProcess[] = []
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lastgood-recovery-'))
  lab = await startLab({ model: recoveryStory, outages: recoveryOutages })
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await lab.close()
  await rm(dir, { recursive: true, force: true })
})

/** Runs the agent; resolves with its first line of output. */
function start(plan: object) {
  const child = spawn(
    process.execPath,
    [program, JSON.stringify({ task, lab: lab.url, session: 'ses', effects: join(dir, 'effects'), ...plan })],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  children.push(child)
  let stderr = ''
  child.stderr.on('data', (chunk) => (stderr += String(chunk)))
  const said = once(createInterface(child.stdout), 'line').then(([line]) => String(line))
  const ended = once(child, 'exit').then(() => {})
  return { child, ended, line: Promise.race([said, ended.then(() => Promise.reject(new Error(stderr)))]) }
}

async function entriesOf(store: Store): Promise<Entry[]> {
  const entries: Entry[] = []
  for await (const entry of store.read('ses')) entries.push(entry)
  return entries
}

const bodyOf = (request: RecordedRequest) => request.body as { system: unknown; tools: unknown; messages: unknown[] }

interface Stored {
  plan: object
  store: Store
  close(): Promise<void>
}
const stores: Record<string, () => Promise<Stored>> = {
  file: async () => ({
    plan: { dir: join(dir, 'state') },
    store: fileStore({ dir: join(dir, 'state') }),
    close: async () => {},
  }),
  redis: async () => {
    const client = new Redis(inject('redisUrl'))
    const prefix = `recovery-${process.pid}-${dir.slice(-6)}`
    return {
      plan: { redis: inject('redisUrl'), prefix },
      store: redisStore(client, { prefix }),
      close: async () => void (await client.quit()),
    }
  },
}

describe.each([
  ['file', 'the same host', {}],
  ['redis', 'the same host', {}],
  ['redis', 'another host that shares only Redis', { owner: elsewhere, takeover: true }],
])('on the %s store, resumed from %s', (kind, _where, options) => {
  test('a killed agent goes on from the last good step: nothing lost, nothing run twice (P1, P2, P4)', async () => {
    const { plan, store, close } = await stores[kind]!()
    const first = start({ ...plan, options: { machineVersion: 'the release before' } })
    expect(await first.line).toBe('hangs')
    first.child.kill('SIGKILL')
    await first.ended
    const killedAt = lab.requests.length

    const second = start({ ...plan, redeployed: true, options })
    expect(await second.line).toBe('reply done')
    await second.ended

    const effects = (await readFile(join(dir, 'effects'), 'utf8')).trim().split('\n').sort()
    expect(effects).toEqual(['1', '2', '3', '4'])

    const entries = await entriesOf(store)
    expect(entries.filter((entry) => entry.type === 'session-resumed')).toMatchObject([{ refolded: true }])
    expect(entries.filter((entry) => entry.type === 'tool-finished').map((entry) => entry.outcome)).toEqual([
      'ran',
      'ran',
      'in-doubt',
      'ran',
      'ran',
    ])
    const folded = await foldJournal(entries, machineVersion)
    expect(folded.snapshot.context).toMatchObject({ turn: 1, lastGoodTurn: 1 })
    expect((await store.summary('ses'))?.holder).toBeNull()
    expect(lab.requests.filter((request) => request.outcome.kind === 'rejected')).toEqual([])

    // What is re-sent is what was sent, byte for byte, and the cache of the API confirms it.
    const [before, after] = [
      lab.requests[killedAt - 1]!,
      lab.requests.slice(killedAt).find((request) => request.outcome.kind === 'ok')!,
    ]
    for (const part of ['system', 'tools'] as const) {
      expect(JSON.stringify(bodyOf(after)[part])).toBe(JSON.stringify(bodyOf(before)[part]))
    }
    const sent = JSON.stringify(bodyOf(before).messages).slice(0, -1)
    expect(JSON.stringify(bodyOf(after).messages).startsWith(sent)).toBe(true)
    const [usageBefore, usageAfter] = [before.outcome, after.outcome].map((outcome) =>
      'usage' in outcome ? outcome.usage : undefined,
    )
    expect(usageAfter?.cache_read_input_tokens).toBe(
      (usageBefore?.cache_read_input_tokens ?? 0) + (usageBefore?.cache_creation_input_tokens ?? 0),
    )
    await close()
  })
})
