/**
 * What is read one by one and comes some at once: a reader of all of it can take the chunks as they come, since a step of
 * an asynchronous iteration, and of each one behind it, takes longer than most entries do.
 *
 * 1. Both ways give the same, in the same order, and end with the same error.
 * 2. Nothing is read before it is asked for; who stops early gives back what is open.
 */

const chunks = Symbol.for('lastgood.chunks')

export type Chunks<T> = AsyncIterable<readonly T[]>

/** For a store's `read`: what `read` gives some at once, one by one, and as it is for who asks `chunksOf`. */
export function inChunks<T>(read: () => Chunks<T>): AsyncIterable<T> {
  const iterable = {
    [chunks]: read,
    async *[Symbol.asyncIterator]() {
      for await (const some of read()) yield* some
    },
  }
  return iterable
}

/** `items` some at once; one at a time, where they do not come otherwise. */
export function chunksOf<T>(items: AsyncIterable<T> | Iterable<T>): Chunks<T> {
  const { [chunks]: read } = items as { [chunks]?: () => Chunks<T> }
  return read ? read() : oneByOne(items)
}

async function* oneByOne<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<readonly T[], void, undefined> {
  for await (const item of items) yield [item]
}
