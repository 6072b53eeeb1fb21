import { expect, test } from 'vitest'
import { forkSession } from '../session/fork.ts'
import { openSession } from '../session/open-session.ts'
import { takeTurn } from '../session/turn.fixture.ts'
import { memoryStore } from '../store/memory-store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { exportSession } from './export-session.ts'
import { importSession } from './import-session.ts'

const clock = new ManualClock()

test('a fork that is exported takes nothing of how long its parent is kept along', async () => {
  const source = memoryStore({ clock })
  const session = await openSession('s', { store: source, clock, ttlMs: 1_000 })
  await takeTurn(session)
  await session.close()
  await forkSession(source, 's', 'f', { clock })
  const lines: string[] = []
  for await (const line of exportSession(source, 'f', { clock })) lines.push(line.slice(0, -1))
  const target = memoryStore({ clock })
  const each = async function* () {
    yield* lines
  }
  const { head } = await importSession(target, each, { clock })
  expect([(await source.summary('s'))?.head.ttlMs, head.ttlMs, head.pinned]).toEqual([1_000, undefined, undefined])
})

test('a session that is not there is told as that', async () => {
  const lines = exportSession(memoryStore({ clock }), 's', { clock })
  await expect(lines.next()).rejects.toMatchObject({ code: 'session-not-found' })
})
