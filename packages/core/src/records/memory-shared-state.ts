/** Shared records in the memory of this process, kept as JSON text as in any other store. */
import { type SharedRecord, type SharedState, assertSharedKey, assertSharedPrefix, sharedJson } from './shared-state.ts'

export function memorySharedState(): SharedState {
  const records = new Map<string, { version: number; text: string }>()

  const recordOf = (key: string): SharedRecord | undefined => {
    const kept = records.get(key)
    return kept && { key, version: kept.version, value: JSON.parse(kept.text) as unknown }
  }

  return {
    async read(key) {
      assertSharedKey(key)
      return recordOf(key)
    },

    async write(key, version, value) {
      assertSharedKey(key)
      const text = sharedJson(key, value)
      if ((records.get(key)?.version ?? 0) !== version) return false
      records.set(key, { version: version + 1, text })
      return true
    },

    async list(prefix) {
      assertSharedPrefix(prefix)
      return [...records.keys()].filter((key) => key.startsWith(prefix)).flatMap((key) => recordOf(key) ?? [])
    },
  }
}
