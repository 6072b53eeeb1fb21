/**
 * The store of a dashboard, opened once it answers: a server that is started while its store is down serves all the
 * same, and says so.
 */
import type { Store } from '@lastgood/core'
import type { OpenStore, StoreChoice } from '../stores.ts'

export interface KeptStore {
  /** For people, without a password. */
  readonly location: string
  /** Errors: those of opening it; the next call tries again. */
  open(): Promise<Store>
  close(): Promise<void>
}

export function keptStore({ shown, open }: Pick<StoreChoice, 'shown' | 'open'>): KeptStore {
  let opened: OpenStore | undefined
  let opening: Promise<Store> | undefined
  let isClosed = false
  return {
    get location() {
      return opened?.store.location ?? shown
    },
    open() {
      opening ??= open()
        .then(async (one) => {
          opened = one
          if (isClosed) await one.close()
          return one.store
        })
        .catch((error: unknown) => {
          opening = undefined
          throw error
        })
      return opening
    },
    async close() {
      isClosed = true
      await opened?.close()
    },
  }
}

/** A store that its owner has opened, and closes. */
export const openStore = (store: Store): KeptStore => ({
  location: store.location,
  open: async () => store,
  close: async () => {},
})
