/** A store's entries, opened in chunks: decorators must not add an iteration step for each entry. */
import { chunksOf, inChunks } from '../store/chunked.ts'
import type { Entry } from '../journal/journal.ts'

/** If an entry cannot be opened, those before it are yielded first. */
export function opened(
  entries: AsyncIterable<Entry>,
  open: (entry: Entry) => Entry | Promise<Entry>,
): AsyncIterable<Entry> {
  return inChunks(async function* (): AsyncGenerator<readonly Entry[], void, undefined> {
    for await (const chunk of chunksOf(entries)) yield* openedChunk(chunk, open)
  })
}

async function* openedChunk(
  chunk: readonly Entry[],
  open: (entry: Entry) => Entry | Promise<Entry>,
): AsyncGenerator<readonly Entry[], void, undefined> {
  const done: Entry[] = []
  try {
    for (const entry of chunk) done.push(await open(entry))
  } catch (error) {
    yield done
    throw error
  }
  yield done
}
