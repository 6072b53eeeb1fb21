/** Writes the golden journals of this version; see README.md. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { foldHistory, machineVersion, readHistory } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { expectedOf } from './expected.ts'
import { scenarios } from './scenarios.ts'

/** `folder` must not exist: golden journals are never rewritten. */
export async function writeGoldenJournals(folder: string): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'lastgood-golden-'))
  try {
    const store = fileStore({ dir })
    for (const [id, tell] of Object.entries(scenarios)) await tell(store, id)
    mkdirSync(folder)
    for (const name of readdirSync(join(dir, 'sessions'))) {
      if (/\.(jsonl|blobs)$/.test(name)) cpSync(join(dir, 'sessions', name), join(folder, name), { recursive: true })
    }
    for (const id of Object.keys(scenarios)) {
      const expected = expectedOf(await foldHistory(readHistory(store, id), machineVersion))
      writeFileSync(join(folder, `${id}.expected.json`), `${JSON.stringify(expected, undefined, 2)}\n`)
    }
  } finally {
    rmSync(dir, { recursive: true })
  }
}
