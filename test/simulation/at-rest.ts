/**
 * How the journals of a simulation are kept: in the clear, compressed, encrypted, or both. What the seed chooses for the
 * world all of its processes can read; how each of them writes is its own affair.
 */
import type { Store } from '@lastgood/core'
import { compressed, encrypted } from '@lastgood/core/at-rest'
import type { World } from './world.ts'

const keys = ['old', 'new'].map((id, at) => ({ id, key: new Uint8Array(32).fill(at + 1) }))

/** `store` under each of the keys; every key is read. */
export const underEachKey = (store: Store): Store[] =>
  keys.map((current) => encrypted(store, { current, others: keys.filter((key) => key !== current) }))

/** Gives each process its own way to the same store. */
export function storesOf(world: World, store: Store): () => Store {
  const isEncrypted = world.chance(0.3)
  const isCompressed = world.chance(0.4)
  return () => {
    // Keys are being rotated, one process at a time.
    const sealed = isEncrypted ? world.pick(underEachKey(store)) : store
    return isCompressed ? compressed(sealed, { minBytes: world.pick([0, 512]) }) : sealed
  }
}
