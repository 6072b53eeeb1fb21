/**
 * A store whose entries and blobs are encrypted and bound to their place; see `cipher.ts` for how.
 *
 * 1. Every entry is sealed, and so is the machine's state in a head. The place of an entry (sequence, instant, fence,
 *    lane), the rest of heads, holders and shared records stay in the clear: what a list needs, and no content of a
 *    conversation except the API's words in a reason.
 * 2. A record opens only if it was written with one of the keys for this session and this place, and an entry only if
 *    it follows the one before it. The error of a refusal has the place and none of the content.
 * 3. Writers use `current`, readers know all keys: so keys can be rotated one process at a time.
 * 4. Data in the clear is refused unless `acceptClear` is set: anybody who can write to the store could have put it
 *    there.
 */
import { fromBase64 } from '../base64.ts'
import type { Entry } from '../journal/journal.ts'
import { journalSealed, sealIn } from '../store/sealed.ts'
import { type SessionSummary, type Store, assertBlobName } from '../store/store.ts'
import { storeOver } from '../store/store-over.ts'
import { type Cipher, cipherOf } from './cipher.ts'
import { type CheckedKey, type EncryptionKey, badKey, checkedKey } from './keys.ts'
import { opened } from './opened.ts'
import { packEntry, packText, sealedEntry, sealedText, unpackEntry, unpackText, unreadable } from './pack.ts'
import { isSealedState, withOpenState, withSealedState } from './sealed-state.ts'

export type { EncryptionKey } from './keys.ts'

export interface EncryptionOptions {
  /** The key for writing. */
  current: EncryptionKey
  /** Keys only for reading: older ones, and the next one while keys are rotated. Default: none. */
  others?: readonly EncryptionKey[]
  /**
   * Also read data in the clear: for sessions from before encryption was switched on, only as long as there are any.
   * Default: false.
   */
  acceptClear?: boolean
}

const codec = 'aes-256-gcm'

/** `store` with entries and blobs encrypted. Throws `bad-option` for a malformed key, never quoting it. */
export function encrypted(store: Store, options: EncryptionOptions): Store {
  const { current, keys, acceptClear } = resolveOptions(options)

  function decrypted(entry: Entry, sessionId: string, place: string, ciphers: Map<string, Cipher>): Entry {
    if (entry.type !== 'sealed' || entry.codec !== codec) {
      if (acceptClear) return entry
      throw inTheClear(place)
    }
    const key = keys.get(entry.key ?? '')
    if (!key) throw unknownKey(place, entry.key)
    const cipher = ciphers.get(key.id) ?? cipherOf(key, 'entry', sessionId)
    ciphers.set(key.id, cipher)
    const data = fromBase64(entry.data)
    const bytes = data && cipher.decrypt(data, placeOf(entry))
    if (!bytes) throw unreadable(place, refused(key.id))
    return unpackEntry(bytes, entry, place)
  }

  function proven(summary: SessionSummary): SessionSummary {
    const { head } = summary
    if (acceptClear && !isSealedState(head)) return summary
    const cipherWith = (id: string) => {
      const key = keys.get(id)
      return key && cipherOf(key, 'entry', head.sessionId)
    }
    return { ...summary, head: withOpenState(head, cipherWith) }
  }

  return storeOver(store, {
    async append(lease, afterSeq, entries, head) {
      const cipher = cipherOf(current, 'entry', lease.sessionId)
      const sealed = entries.map((entry) => {
        const data = cipher.encrypt(packEntry(entry), placeOf(entry))
        return sealedEntry(entry, { codec, key: current.id, data })
      })
      return store.append(lease, afterSeq, sealed, withSealedState(head, cipher))
    },

    async summary(sessionId) {
      const summary = await store.summary(sessionId)
      return summary && proven(summary)
    },

    async *list(filter) {
      for await (const summary of store.list(filter)) yield proven(summary)
    },

    read(sessionId, afterSeq = 0) {
      const journal = store.journalAt(sessionId)
      const ciphers = new Map<string, Cipher>()
      let [seq, fence] = [afterSeq, 0]
      return opened(store.read(sessionId, afterSeq), (entry) => {
        const place = `${journal} entry ${entry.seq}`
        if (entry.seq !== seq + 1 || entry.fence < fence) {
          throw unreadable(place, 'it does not follow the entry before it')
        }
        seq = entry.seq
        fence = entry.fence
        return decrypted(entry, sessionId, place, ciphers)
      })
    },

    async putBlob(lease, name, text) {
      assertBlobName(name)
      const cipher = cipherOf(current, 'blob', lease.sessionId)
      const data = cipher.encrypt(packText(text), [name])
      return store.putBlob(lease, cipher.nameOf(name), sealedText({ codec, key: current.id, data }))
    },

    async readBlob(sessionId, name) {
      assertBlobName(name)
      for (const key of keys.values()) {
        const cipher = cipherOf(key, 'blob', sessionId)
        const text = await store.readBlob(sessionId, cipher.nameOf(name))
        if (text === undefined) continue
        const place = `${store.journalAt(sessionId)} blob ${name}`
        const seal = sealIn(text)
        const data = seal?.codec === codec && seal.key === key.id ? fromBase64(seal.base64) : undefined
        const bytes = data && cipher.decrypt(data, [name])
        if (!bytes) throw unreadable(place, refused(key.id))
        return unpackText(bytes, place)
      }
      const clear = await store.readBlob(sessionId, name)
      if (clear !== undefined && !acceptClear) throw inTheClear(`${store.journalAt(sessionId)} blob ${name}`)
      return clear
    },
  })
}

/** What an entry is bound to, besides its session and key. Its version is inside the seal. */
function placeOf({ seq, fence, at, lane }: Entry): (string | number)[] {
  return [seq, fence, at, lane]
}

interface Resolved {
  current: CheckedKey
  /** By id, the current one first. */
  keys: ReadonlyMap<string, CheckedKey>
  acceptClear: boolean
}

function resolveOptions({ current, others = [], acceptClear = false }: EncryptionOptions): Resolved {
  const first = checkedKey(current, 'current')
  const keys = new Map([[first.id, first]])
  for (const [i, other] of others.entries()) {
    const key = checkedKey(other, `others[${i}]`)
    if (keys.has(key.id)) {
      throw badKey(`others[${i}].id`, `is the id of another key: ${key.id}`, 'give every key its own id')
    }
    keys.set(key.id, key)
  }
  return { current: first, keys, acceptClear }
}

const refused = (id: string): string =>
  `it was altered, or it was not written here with the key ${JSON.stringify(id)} that this store was given`

function unknownKey(place: string, id = ''): Error {
  const shown = JSON.stringify(id.slice(0, 64))
  return journalSealed(
    `${place} is encrypted with the key ${shown}, which this store was not given`,
    `add it: encrypted(store, { current, others: [{ id: ${shown}, key }] })`,
    { place, key: id.slice(0, 64) },
  )
}

function inTheClear(place: string): Error {
  return journalSealed(
    `${place} is in the clear, but this store requires encryption`,
    'set acceptClear: true to read sessions from before encryption; if there are none, someone else wrote this one',
    { place },
  )
}
