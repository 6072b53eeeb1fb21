/** What the system reports of a server and its storage: processor time, bytes written to disk, size of a folder. */
import { readFileSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { cpuOf } from '../process-facts.ts'

export interface Facts {
  /** Processor time so far of the process and its children, ms. */
  readonly cpuMs: number
  /** Bytes written to disk so far, in whole pages. */
  readonly written: number
}

/** Without a process: zeros. Children that have ended are included in the numbers of their parent. */
export function factsOf(pid: number | undefined): Facts {
  if (pid === undefined) return { cpuMs: 0, written: 0 }
  const children = textOf(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)
  // Counted after the name, which may have spaces: fields 14 and 15 are of ended children, in hundredths of a second.
  const fields = textOf(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? []
  const ended = (Number(fields[13] ?? 0) + Number(fields[14] ?? 0)) * 10
  const own = { cpuMs: (cpuOf(pid) ?? 0) + ended, written: writtenBy(pid) }
  return children.map(factsOf).reduce(added, own)
}

const added = (one: Facts, other: Facts): Facts => ({
  cpuMs: one.cpuMs + other.cpuMs,
  written: one.written + other.written,
})

const writtenBy = (pid: number): number => Number(/^write_bytes: (\d+)$/m.exec(textOf(`/proc/${pid}/io`))?.[1] ?? 0)

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return '' // it ended, or the system has no such file
  }
}

/** Of all its files, bytes. */
export async function sizeOf(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const sizes = files
    .filter((one) => one.isFile())
    .map((one) =>
      stat(join(one.parentPath, one.name)).then(
        ({ size }) => size,
        () => 0, // a server removes files while we count
      ),
    )
  return (await Promise.all(sizes)).reduce((sum, one) => sum + one, 0)
}
