/** `bench overhead`: what lastgood adds to a request, without a network and without a model. */
import { spreadOf, type Spread } from '../spread.ts'
import { formatTable, type Surroundings, surroundingsLine } from '../../support/report.ts'
import { bytesPerStep, historyOf, requestOf, streamEvents } from './history.ts'
import { measureRequests, paths, type Path } from './requests.ts'
import { measureValidation } from './validation.ts'

const lengths = [10, 200, 1000]

/** In ms. */
export interface OverheadResults {
  readonly runs: number
  readonly requests: readonly {
    readonly messages: number
    readonly bytes: number
    readonly path: Path
    readonly firstByte: Spread
    readonly event: Spread
    readonly cpu: Spread
  }[]
  readonly validation: readonly { readonly messages: number; readonly whole: Spread; readonly step: Spread }[]
}

export async function benchOverhead(runs: number, onProgress: (line: string) => void): Promise<OverheadResults> {
  const requests: OverheadResults['requests'][number][] = []
  // A warm-up, so that the JIT compiler is done before anything counts.
  for (const path of paths) await measureRequests(path, 10, runs)
  for (const messages of lengths) {
    const bytes = Buffer.byteLength(String(requestOf(historyOf(messages)).body))
    for (const path of paths) {
      const all = await measureRequests(path, messages, runs)
      const spread = (of: 'firstByte' | 'event' | 'cpu') => spreadOf(all.map((one) => one[of]))
      requests.push({
        messages,
        bytes,
        path,
        firstByte: spread('firstByte'),
        event: spread('event'),
        cpu: spread('cpu'),
      })
      onProgress(`${messages} messages, ${path}`)
    }
  }
  const validation = lengths.map((messages) => {
    const all = measureValidation(messages, runs)
    const [whole, step] = [all.map((one) => one.whole), all.map((one) => one.step)]
    return { messages, whole: spreadOf(whole), step: spreadOf(step) }
  })
  return { runs, requests, validation }
}

export function overheadReport({ runs, requests, validation }: OverheadResults, isMarkdown: boolean, at: Surroundings) {
  const names: Readonly<Record<Path, string>> = { bare: 'bare', memory: 'memory store', file: 'file store' }
  const ms = ({ p50, p99 }: Spread) => `${p50.toFixed(2)} / ${p99.toFixed(2)}`
  const us = ({ p50, p99 }: Spread) => `${(p50 * 1000).toFixed(0)} / ${(p99 * 1000).toFixed(0)}`
  return [
    formatTable(
      ['messages', 'request', 'path', 'first byte, ms', 'each event, µs', 'processor, ms'],
      requests.map(({ messages, bytes, path, firstByte, event, cpu }) => [
        path === 'bare' ? String(messages) : '',
        path === 'bare' ? `${Math.round(bytes / 1000)} KB` : '',
        names[path],
        ms(firstByte),
        us(event),
        ms(cpu),
      ]),
      isMarkdown,
    ),
    formatTable(
      ['messages', 'whole history, ms', 'one step more, µs'],
      validation.map(({ messages, whole, step }) => [String(messages), ms(whole), us(step)]),
      isMarkdown,
    ),
    `p50 / p99 of ${runs} runs; ${bytesPerStep / 1000} KB a step, ${streamEvents} events an answer`,
    surroundingsLine(at),
  ].join('\n\n')
}
