/**
 * What trouble cost on top, in tokens and dollars: attempts that were paid for and gave nothing, and conversation that had
 * to be read into a cold cache again. An estimate, with the prices of `prices.ts`. A fold of entries.
 */
import type { Entry } from '@lastgood/core'
import { cacheFactors, priceOf, type Price } from '../../cost/prices.ts'

export interface ExtraCost {
  /** Of attempts that broke, in full-price input tokens. */
  repeated: number
  /** That had been in the cache, and were written to it again. */
  reread: number
  usd: number
  /** Models whose tokens are not in `usd`, because nobody gave a price. */
  readonly unpriced: Set<string>
}

export const noExtraCost = (): ExtraCost => ({ repeated: 0, reread: 0, usd: 0, unpriced: new Set() })

export class ExtraCosts {
  readonly total = noExtraCost()
  readonly #prices: Readonly<Record<string, Price>> | undefined
  #model = ''
  /** Tokens that the last answer left in the cache. */
  #cached = 0

  constructor(prices: Readonly<Record<string, Price>> | undefined) {
    this.#prices = prices
  }

  /** `counts`: whether it is in the time that is asked about. `isAfterTrouble`: an answer that ends one. */
  take(entry: Entry, { counts, isAfterTrouble }: { counts: boolean; isAfterTrouble: boolean }): void {
    switch (entry.type) {
      case 'request-sent':
        this.#model = entry.model
        return
      case 'fault-observed':
        if (counts) this.#add('repeated', entry.fault.tokens ?? 0, 1)
        return
      case 'rewound':
        this.#cached = 0
        return
      case 'response-received': {
        const count = (name: string) => {
          const value = entry.message.usage?.[name]
          return typeof value === 'number' ? value : 0
        }
        const [read, written] = [count('cache_read_input_tokens'), count('cache_creation_input_tokens')]
        const again = Math.min(written, Math.max(0, this.#cached - read))
        if (counts && isAfterTrouble) this.#add('reread', again, cacheFactors.write5m - cacheFactors.read)
        this.#cached = read + written
        return
      }
      default:
    }
  }

  #add(what: 'repeated' | 'reread', tokens: number, factor: number): void {
    if (tokens <= 0) return
    this.total[what] += tokens
    const price = priceOf(this.#model, this.#prices)
    if (price) this.total.usd += (tokens * factor * price.input) / 1_000_000
    else this.total.unpriced.add(this.#model)
  }
}
