/**
 * The body of a response, piece by piece. Where both ends are ours, a web stream would cost each event a dozen turns of
 * the microtask queue, so a stream made here hands its pieces directly to a reader that asks for them here.
 *
 * 1. To everybody else it is a stream like any other: it gives the same pieces, no sooner than they are asked for.
 * 2. Taking the pieces locks the stream, as reading it does.
 */
export interface Pieces {
  /** The next one, when it comes; undefined at the end. Rejects with what broke the body: then do not call it again. */
  next(): Promise<Uint8Array | undefined>
  /** Nobody wants the rest. */
  cancel(reason?: unknown): Promise<void>
  /** Rejects when the rest is broken, even while nobody asks for it; absent where only `next` can tell. */
  readonly broken?: Promise<unknown>
}

const made = new WeakMap<ReadableStream<Uint8Array>, Pieces>()

export function streamOf(pieces: Pieces): ReadableStream<Uint8Array> {
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = await pieces.next()
        if (piece) controller.enqueue(piece)
        else controller.close()
      },
      cancel: (reason) => pieces.cancel(reason),
    },
    { highWaterMark: 0 },
  )
  made.set(stream, pieces)
  return stream
}

/** The pieces of a body; none for null. Errors: a `TypeError` when it is being read already. */
export function readPieces(body: ReadableStream<Uint8Array> | null): Pieces {
  const reader = body?.getReader()
  const pieces = body && made.get(body)
  return (
    pieces ?? {
      next: async () => (await reader?.read())?.value,
      cancel: async (reason) => reader?.cancel(reason),
      ...(reader && { broken: reader.closed }),
    }
  )
}
