/**
 * An iterable of single items that arrive in chunks. A reader of many items can take whole chunks: a step of an
 * asynchronous iteration, and of each one underneath, takes longer than handling most entries does.
 *
 * 1. Both ways give the same items, in the same order, and end with the same error.
 * 2. Nothing is read before it is asked for; a reader that stops early closes what is open.
 */

const chunks = Symbol.for('lastgood.chunks')

export type Chunks<T> = AsyncIterable<readonly T[]>

/** For a store's `read`: iterates the chunks of `read` item by item; `chunksOf` gives them as they are. */
export function inChunks<T>(read: () => Chunks<T>): AsyncIterable<T> {
  const iterable = {
    [chunks]: read,
    async *[Symbol.asyncIterator]() {
      for await (const some of read()) yield* some
    },
  }
  return iterable
}

/** `items` in chunks; in chunks of one, if they do not come from `inChunks`. */
export function chunksOf<T>(items: AsyncIterable<T> | Iterable<T>): Chunks<T> {
  const { [chunks]: read } = items as { [chunks]?: () => Chunks<T> }
  return read ? read() : oneByOne(items)
}

async function* oneByOne<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<readonly T[], void, undefined> {
  for await (const item of items) yield [item]
}
