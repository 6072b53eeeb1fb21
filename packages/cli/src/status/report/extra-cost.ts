/**
 * The extra cost of trouble, in tokens and dollars: attempts that were paid for and gave nothing, and conversation that
 * had to be read into a cold cache again. An estimate, with the prices of `prices.ts`. A fold of entries.
 */
import { cacheRates, costOfWriting, lostIn, readsIn, type Entry } from '@lastgood/core'
import { inputPrice, type Prices } from '../../cost/prices.ts'

export interface ExtraCost {
  /** Tokens of failed attempts, in full-price input tokens. */
  repeated: number
  /** Tokens that had been in the cache, and were written to it again. */
  reread: number
  usd: number
  /** Models without a known price, whose tokens are not in `usd`. */
  readonly unpriced: Set<string>
}

export const noExtraCost = (): ExtraCost => ({ repeated: 0, reread: 0, usd: 0, unpriced: new Set() })

export class ExtraCosts {
  readonly total = noExtraCost()
  readonly #prices: Prices | undefined
  #model = ''
  /** Input tokens of the last answered request; the next one has at least about as many. */
  #input = 0
  /** Tokens that it left in the cache. */
  #cached = 0

  constructor(prices: Prices | undefined) {
    this.#prices = prices
  }

  /** `counts`: whether the entry is in the reported time. `isAfterTrouble`: whether it ends a trouble. */
  take(entry: Entry, { counts, isAfterTrouble }: { counts: boolean; isAfterTrouble: boolean }): void {
    switch (entry.type) {
      case 'request-sent':
        this.#model = entry.model
        return
      case 'fault-observed':
        if (counts) this.#add('repeated', lostIn(entry), 1, this.#input)
        return
      case 'rewound':
        this.#input = 0
        this.#cached = 0
        return
      case 'response-received': {
        const { first, last } = readsIn(entry.message.usage)
        const again = Math.min(first.cacheWritten, Math.max(0, this.#cached - first.cacheRead))
        const factor = costOfWriting(first) / first.cacheWritten - cacheRates.read
        if (counts && isAfterTrouble) this.#add('reread', again, factor, first.input)
        this.#input = last.input
        this.#cached = last.cacheRead + last.cacheWritten
        return
      }
      default:
    }
  }

  /** `factor`: the share of the full price, which depends on the `input` of the whole request. */
  #add(what: 'repeated' | 'reread', tokens: number, factor: number, input: number): void {
    if (tokens <= 0) return
    this.total[what] += tokens
    const price = inputPrice(this.#model, input, this.#prices)
    if (price === undefined) this.total.unpriced.add(this.#model)
    else this.total.usd += (tokens * factor * price) / 1_000_000
  }
}
