/**
 * Shared records as files: compare-and-swap between processes of one machine, without a lock.
 *
 *     <folder>/health-api.anthropic.com~5f0c….12.json      version 12 of a record; the name ends in a hash of its key
 *
 * 1. Version n is a whole file linked to its name: of several writers of version n, one gets the name.
 * 2. The highest version counts and is never removed. Older ones are removed, except the last but one, so that a reader
 *    that lists the folder meanwhile finds one of the two.
 * 3. A writer that slept can link a name that was already removed. So a writer looks once more: it has won if its
 *    version is the highest, or if the highest names it among those it was built on.
 * 4. Nothing waits for the disk. A version that a power cut left unreadable is skipped; its number stays used.
 */
import { link, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import {
  type SharedRecord,
  type SharedState,
  assertSharedKey,
  assertSharedPrefix,
  sharedJson,
} from '../records/shared-state.ts'
import { onPath, systemCode } from './file-error.ts'
import { makeFolder, namesIn, readText } from './folder.ts'
import { parsedJson } from '../json.ts'
import { lazily } from '../lazily.ts'
import { sha256 } from '../sha256.ts'

const fileSchema = lazily(() =>
  z.strictObject({
    v: z.literal(1),
    key: z.string(),
    /** Of this write alone. */
    id: z.string(),
    /** Ids of the writes before it, newest first. */
    builtOn: z.array(z.string()),
    value: z.unknown(),
  }),
)
type Written = z.infer<ReturnType<typeof fileSchema>> & { version: number }

/** How many newer writes may pass before a writer looks again and still learns that it won. */
const rememberedWrites = 32
/** A temporary file this much older than the newest version was left by a crash. */
const leftoverMs = 60_000

export function sharedFiles(folder: string, newId: () => string): SharedState {
  /** The highest number taken, and the highest version that can be read. */
  async function look(stem: string, names: readonly string[]): Promise<{ top: number; newest: Written | undefined }> {
    for (let seen = names; ; seen = await namesIn(folder)) {
      const versions = versionsIn(seen, stem)
      const newest = await firstReadable(stem, versions)
      if (newest !== 'gone') return { top: versions[0] ?? 0, newest }
    }
  }

  /** 'gone' if a file was replaced since it was listed. */
  async function firstReadable(stem: string, versions: readonly number[]): Promise<Written | undefined | 'gone'> {
    for (const version of versions) {
      const text = await readText(join(folder, nameOf(stem, version))).catch(unlessMissing)
      if (text === undefined) return 'gone'
      const { data } = fileSchema().safeParse(parsedJson(text))
      if (data && stemOf(data.key) === stem) return { ...data, version }
    }
    return undefined
  }

  /** Whether `content` became version `number`, rather than another writer's. */
  async function put(stem: string, number: number, content: z.infer<ReturnType<typeof fileSchema>>): Promise<boolean> {
    const temporary = join(folder, `${stem}.${content.id}.tmp`)
    try {
      await writeFile(temporary, JSON.stringify(content), { mode: 0o600, flag: 'wx' })
      await link(temporary, join(folder, nameOf(stem, number)))
      return true
    } catch (error) {
      // EEXIST: another writer was first. ENOENT: this one took so long that its file was cleaned up.
      if (systemCode(error) === 'EEXIST' || systemCode(error) === 'ENOENT') return false
      throw error
    } finally {
      await rm(temporary, { force: true })
    }
  }

  async function cleanUp(stem: string, names: readonly string[], number: number): Promise<void> {
    for (const version of versionsIn(names, stem)) {
      if (version < number - 1) await rm(join(folder, nameOf(stem, version)), { force: true })
    }
    const temporary = names.filter((name) => name.startsWith(`${stem}.`) && name.endsWith('.tmp'))
    if (temporary.length === 0) return
    const newest = await stat(join(folder, nameOf(stem, number))).catch(unlessMissing)
    for (const path of temporary.map((name) => join(folder, name))) {
      const found = await stat(path).catch(unlessMissing)
      if (found && newest && newest.mtimeMs - found.mtimeMs > leftoverMs) await rm(path, { force: true })
    }
  }

  async function write(key: string, version: number, value: unknown): Promise<boolean> {
    const stem = stemOf(key)
    await makeFolder(folder)
    const { top, newest } = await look(stem, await namesIn(folder))
    if ((newest?.version ?? 0) !== version) return false
    const builtOn = newest ? [newest.id, ...newest.builtOn].slice(0, rememberedWrites) : []
    const [id, number] = [newId(), top + 1]
    if (!(await put(stem, number, { v: 1, key, id, builtOn, value }))) return false
    const names = await namesIn(folder)
    const now = await look(stem, names)
    if (now.newest?.id === id || now.newest?.builtOn.includes(id)) {
      await cleanUp(stem, names, number)
      return true
    }
    await rm(join(folder, nameOf(stem, number)), { force: true })
    return false
  }

  return {
    async read(key) {
      assertSharedKey(key)
      return onPath(folder, async () => recordOf((await look(stemOf(key), await namesIn(folder))).newest))
    },

    async write(key, version, value) {
      assertSharedKey(key)
      const copy = JSON.parse(sharedJson(key, value)) as unknown
      return onPath(folder, () => write(key, version, copy))
    },

    async list(prefix) {
      assertSharedPrefix(prefix)
      return onPath(folder, async () => {
        const names = await namesIn(folder)
        const stems = new Set(names.flatMap((name) => versionPattern.exec(name)?.[1] ?? []))
        const found = await Promise.all(Array.from(stems, (stem) => look(stem, names)))
        return found.flatMap(({ newest }) => recordOf(newest) ?? []).filter(({ key }) => key.startsWith(prefix))
      })
    },
  }
}

function recordOf(written: Written | undefined): SharedRecord | undefined {
  return written && { key: written.key, version: written.version, value: written.value }
}

const versionPattern = /^([a-z0-9.@_-]*~[0-9a-f]{32})\.([1-9][0-9]*)\.json$/

/** The beginning of the key for people, and a hash for file systems that ignore case or forbid `:`. */
function stemOf(key: string): string {
  const legible = key.slice(0, 80).toLowerCase().replaceAll(/[:|]/g, '-')
  return `${legible}~${sha256(key).slice(0, 32)}`
}

function nameOf(stem: string, version: number): string {
  return `${stem}.${version}.json`
}

/** Highest first. */
function versionsIn(names: readonly string[], stem: string): number[] {
  const matches = names.map((name) => versionPattern.exec(name)).filter((match) => match?.[1] === stem)
  return matches.map((match) => Number(match?.[2])).sort((a, b) => b - a)
}

function unlessMissing(error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') throw error
}
