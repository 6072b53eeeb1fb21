/** Real processes on one folder: they fight for a session, are killed in the middle of a write, run out of space. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { newFolder } from '../../../../test/support/folder.ts'
import type { Entry } from '../journal/journal.ts'
import type { Lease } from '../store/store.ts'
import { owner } from '../testing/entries.ts'
import { seededRandom } from '../testing/random.ts'
import { fileStore } from './file-store.ts'

interface Told {
  seq: number
  fence: number
  text: string
}

const program = fileURLToPath(new URL('fixtures/writer-process.mjs', import.meta.url))

function started(options: object, shell = '', flags: readonly string[] = []): ChildProcess {
  const args = [...flags, program, JSON.stringify(options)]
  const command =
    shell === '' ? [process.execPath, ...args] : ['bash', '-c', `${shell}; exec "$0" "$@"`, process.execPath, ...args]
  const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** What the process says until it ends; `onTold` sees each at once. */
async function toldBy<T = Told>(child: ChildProcess, onTold: (told: T) => void = () => {}): Promise<T[]> {
  const told: T[] = []
  const ended = once(child, 'close')
  if (!child.stdout) throw new Error('no output')
  for await (const line of createInterface({ input: child.stdout })) {
    told.push(JSON.parse(line) as T)
    onTold(told.at(-1) as T)
  }
  await ended
  return told
}

async function all(dir: string): Promise<Entry[]> {
  const entries: Entry[] = []
  for await (const one of fileStore({ dir }).read('s')) entries.push(one)
  return entries
}

/** What the process told of this entry: its text without the padding. */
function asTold({ seq, fence, ...body }: Entry): Told {
  const content = body.type === 'turn-started' ? body.messages[0]?.content : undefined
  const text = Array.isArray(content) ? String(content[0]?.['text']) : ''
  return { seq, fence, text: text.split(' ', 2).join(' ') }
}

for (const mode of ['takeover', 'shared'] as const) {
  test(
    `three processes x 100 appends on one session (${mode}): every one is there once, contiguous (P1, P3)`,
    { timeout: 90_000 },
    async () => {
      const dir = newFolder()
      const lease =
        mode === 'shared' ? ((await fileStore({ dir }).acquire('s', owner('all'), 60_000)) as Lease) : undefined
      const children = ['ann', 'bob', 'eve'].map((name) => started({ dir, mode, name, count: 100, lease }))
      const told = (await Promise.all(children.map((child) => toldBy(child)))).flat()
      expect(children.map((child) => child.exitCode)).toEqual([0, 0, 0])
      const entries = await all(dir)
      expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1))
      expect(entries.map(asTold)).toEqual(told.toSorted((a, b) => a.seq - b.seq))
    },
  )
}

test(
  'a writer killed at any instant leaves every acknowledged entry, and the next one goes on (P1)',
  { timeout: 90_000 },
  async () => {
    const dir = newFolder()
    const random = seededRandom(20260101)
    const told: Told[] = []
    for (let round = 0; round < 10; round++) {
      const child = started({ dir, mode: 'endless', name: `writer-${round}` })
      let left = 1 + Math.floor(random() * 60)
      const pauseMs = random() * 3
      const acknowledged = await toldBy(child, () => {
        // A little later, so that it hits anywhere between two acknowledgements.
        if (--left === 0) void setTimeout(pauseMs).then(() => child.kill('SIGKILL'))
      })
      expect(child.signalCode).toBe('SIGKILL')
      told.push(...acknowledged)
      const entries = await all(dir)
      const there = new Map(entries.map((one) => [one.seq, asTold(one)]))
      for (const one of told) expect(there.get(one.seq)).toEqual(one)
      // At most the one append of each round that it was killed in was not told.
      expect(entries.length - told.length).toBeLessThanOrEqual(round + 1)
    }
  },
)

test('a disk that fills in the middle of a line: a clear error, nothing acknowledged is lost, and space cures it (P1, P5)', async () => {
  const dir = newFolder()
  // A limit of 64 KiB for any file; without the trap the signal would kill the process before the error reaches it.
  const full = started({ dir, mode: 'until-full', name: 'ann' }, "trap '' XFSZ; ulimit -f 64")
  const lines = await toldBy<Told & { code?: string; message?: string; details?: object }>(full)
  const path = join(dir, 'sessions', 's.jsonl')
  expect((await stat(path)).size).toBe(64 * 1024)
  const refused = lines.pop()
  expect(refused).toMatchObject({ code: 'store-unavailable', details: { path, code: 'ENOSPC' } })
  expect(refused?.message).toContain(path)
  expect(lines.length).toBeGreaterThan(10)
  expect((await all(dir)).map(asTold)).toEqual(lines)

  const again = await toldBy<{ code: string }>(
    started({ dir, mode: 'until-full', name: 'bob' }, "trap '' XFSZ; ulimit -f 64"),
  )
  expect(again).toMatchObject([
    { code: 'store-unavailable', details: { code: 'EFBIG' }, hint: expect.stringContaining('ulimit -f') },
  ])

  const told = await toldBy(started({ dir, mode: 'takeover', name: 'eve', count: 5 }))
  expect((await all(dir)).map(asTold)).toEqual([...lines, ...told])
})

const hasPermissions = process.allowedNodeEnvironmentFlags.has('--permission')
const rights: [string, string[]][] = [['may only read', []]]
// Under the flag that Node 20 has, what may be written may be synced.
if (hasPermissions) rights.push(['may write', ['--allow-fs-write=*']])

test.each(rights)('a process that %s under node --permission is told at once what helps (P5)', async (_may, more) => {
  const dir = newFolder()
  const permission = hasPermissions ? '--permission' : '--experimental-permission'
  const flags = ['--no-warnings', permission, '--allow-fs-read=*', ...more]
  const told = await toldBy<object>(started({ dir, mode: 'until-full', name: 'ann' }, '', flags))
  expect(told).toEqual([
    {
      code: 'bad-option',
      message: expect.stringMatching(/sessions.*: node --permission forbids/),
      hint: expect.stringContaining('start Node without --permission'),
      details: { path: expect.stringContaining(dir), code: 'ERR_ACCESS_DENIED' },
    },
  ])
})
