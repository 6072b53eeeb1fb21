/** The client: a prepared request, and when each piece of its answer came. */
import { Agent, request as ask } from 'node:http'
import type { Talk } from './talk.ts'

const agent = new Agent({ keepAlive: true, maxSockets: Infinity })

/** Instants of the monotonic clock of this host, ms. */
export interface Asked {
  readonly beganAt: number
  readonly firstAt: number
  readonly endedAt: number
  readonly text: string
  /** When `text` had come up to which position. */
  readonly pieces: readonly { readonly at: number; readonly upTo: number }[]
}

export const now = (): number => Number(process.hrtime.bigint()) / 1e6

export interface AskOptions {
  readonly stream: boolean
  /** Called with the first byte. */
  readonly onFirst?: () => void
}

export async function askOnce(url: string, talk: Talk, { stream, onFirst }: AskOptions): Promise<Asked> {
  const { hostname, port } = new URL(url)
  const body = talk.body(stream)
  const headers = { ...talk.headers(), 'content-length': body.length }
  return new Promise((resolve, reject) => {
    const beganAt = now()
    const request = ask(
      { hostname, port, path: '/v1/messages?beta=true', method: 'POST', headers, agent },
      (response) => {
        const chunks: Buffer[] = []
        const pieces: { at: number; upTo: number }[] = []
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk)
          pieces.push({ at: now(), upTo: (pieces.at(-1)?.upTo ?? 0) + chunk.length })
          if (pieces.length === 1) onFirst?.()
        })
        response.on('error', reject)
        response.on('end', () => {
          const endedAt = now()
          const text = Buffer.concat(chunks).toString('latin1')
          const isWhole = stream ? text.includes('event: message_stop') : text.startsWith('{')
          if (response.statusCode !== 200 || !isWhole) reject(new Error(`${response.statusCode} ${text.slice(-300)}`))
          else resolve({ beganAt, firstAt: pieces[0]?.at ?? endedAt, endedAt, text, pieces })
        })
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

/** For each piece of text, which says when it was written: how long it was on its way, ms. */
export function delaysIn({ text, pieces }: Pick<Asked, 'text' | 'pieces'>): number[] {
  let piece = 0
  return [...text.matchAll(/@(\d+) /g)].map((match) => {
    while ((pieces[piece]?.upTo ?? Infinity) < match.index + match[0].length) piece += 1
    return (pieces[piece]?.at ?? NaN) - Number(match[1]) / 1e6
  })
}
