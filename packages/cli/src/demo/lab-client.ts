/**
 * A client of the scripted model that works inside the demo and without it.
 *
 * 1. Inside the demo, requests go to the demo's lab, which has the outages and keeps the records.
 * 2. Without it (after the demo was interrupted), each request gets its own lab in this process until its answer ends:
 *    the model is a pure function of the transcript, so any lab can continue it, and nothing keeps the process alive.
 *    That lab still cannot read the screenshot.
 */
import { Anthropic } from '@anthropic-ai/sdk'
import { startLab } from '@lastgood/outage-lab'
import type { Env } from '../context.ts'
import { chunkDelayMs, refusedPicture, type Pace } from './outages.ts'
import { playDemo } from './script.ts'

/** Set only by the demo, for the processes that it starts. */
export const labVariable = 'LASTGOOD_DEMO_LAB'

export function labClient(env: Env, pace: Pace): Anthropic {
  const lab = env[labVariable]
  return new Anthropic({
    apiKey: 'no-key-needed',
    authToken: null,
    baseURL: lab ?? 'http://127.0.0.1',
    logLevel: 'off',
    fetch: async (input, init) => {
      if (lab === undefined) return fetchAlone(pace, input, init)
      try {
        return await fetch(input, init)
      } catch (error) {
        // The demo was killed before it could end this process.
        if (causeCode(error) === 'ECONNREFUSED') return fetchAlone(pace, input, init)
        throw error
      }
    },
  })
}

async function fetchAlone(pace: Pace, input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const lab = await startLab({ model: playDemo, outages: [refusedPicture], chunkDelayMs: chunkDelayMs(pace) })
  try {
    const { pathname, search } = new URL(input instanceof Request ? input.url : input)
    const response = await fetch(new URL(pathname + search, lab.url), init)
    return new Response(response.body && closingAtEnd(response.body, () => lab.close()), response)
  } catch (error) {
    await lab.close()
    throw error
  }
}

/** The same bytes; calls `close` once, when they have ended, failed or been cancelled. */
function closingAtEnd(body: ReadableStream<Uint8Array>, close: () => Promise<void>): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (!done) return controller.enqueue(value)
        await close()
        controller.close()
      } catch (error) {
        await close()
        throw error
      }
    },
    async cancel(reason) {
      await reader.cancel(reason).catch(() => {})
      await close()
    },
  })
}

function causeCode(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause ? cause.code : undefined
}
