/** Writes the golden journals of this version, when it is asked to; see README.md. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { foldHistory, machineVersion, readHistory } from '@lastgood/core'
import { fileStore } from '@lastgood/core/file'
import { expect, onTestFinished, test } from 'vitest'
import { expectedOf } from './expected.ts'
import { scenarios } from './scenarios.ts'

const target = process.env['GOLDEN']

test.runIf(target !== undefined)(
  'golden journals are written',
  async () => {
    const folder = join(import.meta.dirname, target ?? '')
    expect(existsSync(folder), `${folder} is there: golden journals are never written anew`).toBe(false)
    const dir = mkdtempSync(join(tmpdir(), 'lastgood-golden-'))
    onTestFinished(() => rmSync(dir, { recursive: true }))
    const store = fileStore({ dir })
    for (const [id, tell] of Object.entries(scenarios)) await tell(store, id)
    mkdirSync(folder, { recursive: true })
    for (const name of readdirSync(join(dir, 'sessions'))) {
      if (/\.(jsonl|blobs)$/.test(name)) cpSync(join(dir, 'sessions', name), join(folder, name), { recursive: true })
    }
    for (const id of Object.keys(scenarios)) {
      const expected = expectedOf(await foldHistory(readHistory(store, id), machineVersion))
      writeFileSync(join(folder, `${id}.expected.json`), `${JSON.stringify(expected, undefined, 2)}\n`)
    }
  },
  120_000,
)
