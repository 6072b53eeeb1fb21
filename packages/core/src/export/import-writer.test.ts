import { expect, test } from 'vitest'
import { openSession } from '../session/open-session.ts'
import { sha256 } from '../sha256.ts'
import { memoryStore } from '../store/memory-store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { exportSession } from './export-session.ts'
import { importSession } from './import-session.ts'

const clock = new ManualClock()
/** Entries of one append. */
const batch = 200

async function* each(lines: readonly string[]) {
  yield* lines
}

test.each([1, batch - 1, batch])(
  'an import does not go on with what is left of a file in which entry %i was another one (P4)',
  async (seq) => {
    const source = memoryStore({ clock })
    const session = await openSession('s', { store: source, clock })
    for (let n = 0; n < batch; n += 1) await session.record([{ type: 'step-finished', stepId: `${n}`, outcome: 'ran' }])
    await session.close()
    const lines: string[] = []
    for await (const line of exportSession(source, 's', { clock })) lines.push(line.slice(0, -1))
    const text = /"entry":(.*)\}$/.exec(lines[seq] ?? '')?.[1]?.replace(/"at":\d+/, '"at":1') ?? ''
    const other = lines.with(seq, `{"sha256":"${sha256(text)}","entry":${text}}`)

    const store = memoryStore({ clock })
    let reads = 0
    const changing = importSession(store, () => each(reads++ === 0 ? lines : other), { clock })
    await expect(changing).rejects.toMatchObject({ code: 'journal-corrupt' })
    expect((await store.summary('s'))?.head.seq).toBe(batch)
    const anotherOne = { code: 'bad-option', message: expect.stringContaining('an unfinished import of another file') }
    await expect(importSession(store, () => each(lines), { clock })).rejects.toMatchObject(anotherOne)
  },
)
