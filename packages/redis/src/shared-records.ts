/**
 * The shared records, in one hash and so in one slot: a field for each key, with the version, a space and the JSON.
 *
 * 1. A write is one script; if it is sent twice (a time-out, a fail-over), the second reply says that it lost.
 * 2. A field with a version but no JSON reads as null; one without a version reads as none. Either can be replaced.
 */
import { type SharedRecord, type SharedState, assertSharedKey, assertSharedPrefix, sharedJson } from '@lastgood/core'
import type { Keys } from './keys.ts'
import type { Server } from './server.ts'

/** Records of one round trip. */
const chunkLength = 100

export function sharedRecords(server: Server, keys: Keys): SharedState {
  return {
    async read(key) {
      assertSharedKey(key)
      const text = await server.ask((redis) => redis.hget(keys.shared, key))
      return text === null ? undefined : recordOf(key, text)
    },

    async write(key, version, value) {
      assertSharedKey(key)
      const [kind] = await server.run('shared-write', [keys.shared], [key, version, sharedJson(key, value)])
      return kind === 'written'
    },

    async list(prefix) {
      assertSharedPrefix(prefix)
      // A scan may show a record twice; no key has a character with a meaning in a pattern.
      const found = new Map<string, SharedRecord>()
      let cursor = '0'
      do {
        const [next, elements] = await server.ask((redis) =>
          redis.hscan(keys.shared, cursor, 'MATCH', `${prefix}*`, 'COUNT', chunkLength),
        )
        cursor = next
        for (let i = 0; i + 1 < elements.length; i += 2) {
          const record = recordOf(String(elements[i]), String(elements[i + 1]))
          if (record) found.set(record.key, record)
        }
      } while (cursor !== '0')
      return [...found.values()]
    },
  }
}

function recordOf(key: string, text: string): SharedRecord | undefined {
  const version = Number(/^\d+/.exec(text)?.[0] ?? 0)
  return version === 0 ? undefined : { key, version, value: jsonOf(text.slice(text.indexOf(' ') + 1)) }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
