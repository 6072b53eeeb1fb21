/** The bytes of a file between its newlines, read in chunks; each is read while the one before is processed. */
import type { JournalHandle } from './open-file.ts'

const chunkBytes = 1024 * 1024

export interface Segment {
  bytes: Buffer
  /** Offset in the file. */
  at: number
  /** Line number, from 1 at the start of what is read, empty lines included. */
  number: number
}

/** The non-empty segments, those of one chunk at a time; the last may be unfinished. */
export async function* segments(
  handle: JournalHandle,
  start: number,
  end: number,
): AsyncGenerator<Segment[], void, undefined> {
  let pending: Buffer[] = []
  let [at, number] = [start, 1]
  let coming = chunkAt(handle, start, end)
  try {
    for (let position = start; position < end;) {
      const chunk = await coming
      if (chunk.length === 0) break
      // Read while this one is parsed.
      coming = chunkAt(handle, position + chunk.length, end)
      const found: Segment[] = []
      let from = 0
      for (let newline = chunk.indexOf(10); newline >= 0; newline = chunk.indexOf(10, from)) {
        const rest = chunk.subarray(from, newline)
        const bytes = pending.length > 0 ? Buffer.concat([...pending, rest]) : rest
        if (bytes.length > 0) found.push({ bytes, at, number })
        pending = []
        from = newline + 1
        at = position + from
        number += 1
      }
      if (from < chunk.length) pending.push(chunk.subarray(from))
      position += chunk.length
      if (found.length > 0) yield found
    }
    if (pending.length > 0) yield [{ bytes: Buffer.concat(pending), at, number }]
  } finally {
    // A reader that stops early may close the file next.
    await coming.catch(() => {})
  }
}

/** The result of one read; empty at the end. */
function chunkAt(handle: JournalHandle, position: number, end: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(chunkBytes, end - position)))
  if (buffer.length === 0) return Promise.resolve(buffer)
  const read = handle.read(buffer, 0, buffer.length, position).then(({ bytesRead }) => buffer.subarray(0, bytesRead))
  // It may fail after the reader has stopped; a reader that awaits it still gets the error.
  read.catch(() => {})
  return read
}
