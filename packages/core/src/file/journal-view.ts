/** What a writer knows of a journal, so that it need not read the same bytes twice. */
import type { LeaseLine, Line, Tip } from './chain.ts'
import type { TornTail } from './journal-file.ts'
import { newestLease } from './lease-file.ts'

/** What is known of the file up to `size`. */
export interface View {
  /** Identifies the file: another one may have its name by now, and perhaps its inode. */
  file: string
  size: number
  /** Of its last change: a copy that was restored in place may be as long. */
  ctimeMs: number
  tip: Tip
  /** Hashes of the newest counted lines, enough to recognise a line that lost a race to them. */
  recent: readonly string[]
  lease: LeaseLine | undefined
  torn: TornTail | undefined
  /** How much of the file is known to be on disk, and the last entry in that part. */
  onDisk: { size: number; seq: number }
}

const recentLines = 64

/** What is known once `lines` count too. */
export function after(
  base: Pick<View, 'tip' | 'recent' | 'lease'>,
  lines: readonly Line[],
): Pick<View, 'tip' | 'recent' | 'lease'> {
  const { hash, fence, seq } = lines.at(-1) ?? base.tip
  return {
    tip: { hash, fence, seq },
    recent: [...base.recent, ...lines.map((line) => line.hash)].slice(-recentLines),
    lease: newestLease(lines) ?? base.lease,
  }
}
