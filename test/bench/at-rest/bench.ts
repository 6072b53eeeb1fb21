/** `bench at-rest`: what an entry of 8 KB costs when it is compressed, encrypted, or both, in a store in memory. */
import { readFileSync } from 'node:fs'
import { type Entry, type Lease, memoryStore, type Store } from '@lastgood/core'
import { compressed, encrypted } from '@lastgood/core/at-rest'
import { entry, head, owner } from '@lastgood/core/testing'
import { median } from '../spread.ts'
import { formatTable, type Surroundings, surroundingsLine } from '../../support/report.ts'

const current = { id: 'bench', key: new Uint8Array(32).fill(7) }
const decorators: Readonly<Record<string, (store: Store) => Store>> = {
  'as it is': (store) => store,
  compressed: (store) => compressed(store),
  encrypted: (store) => encrypted(store, { current }),
  'compressed, then encrypted': (store) => compressed(encrypted(store, { current })),
}

export interface AtRestResults {
  readonly runs: number
  /** Times in ms. */
  readonly stores: readonly {
    readonly name: string
    readonly bytes: number
    readonly append: number
    readonly read: number
  }[]
}

const source = readFileSync(new URL('../src/session/session.ts', import.meta.resolve('@lastgood/core')), 'utf8')

/** A tool result with the source of this repository in it. */
function entryOf(seq: number, fence: number): Entry {
  const content = source.slice(seq % 1000, (seq % 1000) + 7_700)
  const result = { type: 'tool_result', tool_use_id: `toolu_${seq}`, content }
  return entry(seq, fence, { type: 'tool-finished', toolUseId: result.tool_use_id, result, outcome: 'ran' })
}

export async function benchAtRest(runs: number, onProgress: (line: string) => void): Promise<AtRestResults> {
  const stores: AtRestResults['stores'][number][] = []
  for (const [name, decorate] of Object.entries(decorators)) {
    // A warm-up, so that the JIT compiler is done before anything counts.
    await measured(decorate, runs)
    stores.push({ name, ...(await measured(decorate, runs)) })
    onProgress(name)
  }
  return { runs, stores }
}

async function measured(decorate: (store: Store) => Store, runs: number) {
  const inner = memoryStore()
  const store = decorate(inner)
  const lease = (await store.acquire('s', owner('bench'), 600_000)) as Lease
  const appends: number[] = []
  for (let seq = 1; seq <= runs; seq++) {
    const one = entryOf(seq, lease.fence)
    const startedAt = performance.now()
    await store.append(lease, seq - 1, [one], head('s', seq))
    appends.push(performance.now() - startedAt)
  }
  const reads: number[] = []
  let startedAt = performance.now()
  for await (const _ of store.read('s')) {
    reads.push(performance.now() - startedAt)
    startedAt = performance.now()
  }
  let bytes = 0
  for await (const stored of inner.read('s')) bytes += Buffer.byteLength(JSON.stringify(stored))
  return { bytes: Math.round(bytes / runs), append: median(appends), read: median(reads) }
}

export function atRestReport({ runs, stores }: AtRestResults, isMarkdown: boolean, at: Surroundings): string {
  const us = (ms: number): string => (ms * 1000).toFixed(0)
  return [
    formatTable(
      ['store', 'bytes of an entry', 'append, µs', 'read, µs'],
      stores.map(({ name, bytes, append, read }) => [name, bytes.toLocaleString('en'), us(append), us(read)]),
      isMarkdown,
    ),
    `p50 of ${runs} entries of 8 KB, source code as a tool returns it, in a store in memory`,
    surroundingsLine(at),
  ].join('\n\n')
}
