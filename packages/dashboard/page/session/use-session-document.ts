/**
 * The document of a session, read again whenever the session has changed.
 *
 * 1. One read at a time: changes during a read are read afterwards, so that a long session that changes all the time is
 *    shown, and its read not restarted for ever.
 * 2. The old document stays until the new one is there.
 * 3. What did not answer is asked again until it does: nothing else says that it is back. So is a session whose resume
 *    is about to end.
 */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { SessionDocument } from '../../src/session-document.ts'
import { getJson, PageError } from '../live/api.ts'

/** Between two reads; longer if a read takes long. */
const pauseMs = 1_000

export interface ReadSession {
  document: SessionDocument | undefined
  failure: string | undefined
  /** Reads again: the page knows that the session has changed. */
  again(): void
}

/** `version` is any value that differs once the session has changed. */
export function useSessionDocument(sessionId: string, hasContent: boolean, version: string): ReadSession {
  const [document, setDocument] = useState<SessionDocument>()
  const [failure, setFailure] = useState<string>()
  const reader = useRef<Reader | undefined>(undefined)
  useEffect(() => {
    const path = `api/sessions/${encodeURIComponent(sessionId)}${hasContent ? '?content=1' : ''}`
    const own = startReader(path, {
      found(read) {
        setDocument(read)
        setFailure(undefined)
      },
      failed: setFailure,
    })
    reader.current = own
    return () => own.stop()
  }, [sessionId, hasContent])
  useEffect(() => reader.current?.want(), [sessionId, hasContent, version])
  return { document, failure, again: () => reader.current?.want() }
}

interface Reader {
  want(): void
  stop(): void
}

interface Readings {
  found(document: SessionDocument): void
  failed(why: string): void
}

function startReader(path: string, { found, failed }: Readings): Reader {
  const stopped = new AbortController()
  const { signal } = stopped
  let [isReading, isWanted] = [false, false]
  const read = async (): Promise<void> => {
    isReading = true
    while (isWanted && !signal.aborted) {
      isWanted = false
      const began = performance.now()
      try {
        const document = await getJson<SessionDocument>(path, signal)
        if (!signal.aborted) found(document)
        isWanted ||= isEnding(document)
      } catch (error) {
        if (!signal.aborted) failed(wordsOf(error))
        isWanted ||= hasNoAnswer(error)
      }
      await pause(Math.max(pauseMs, performance.now() - began), signal)
    }
    isReading = false
  }
  return {
    want() {
      isWanted = true
      if (!isReading) void read()
    },
    stop: () => stopped.abort(),
  }
}

/** Its resume has given the session back, and is about to end: no change of the session says when. */
const isEnding = ({ started, card }: SessionDocument): boolean => started?.exitCode === null && card.heldBy === null

/** The server is away, or its store. */
const hasNoAnswer = (error: unknown): boolean =>
  error instanceof PageError && (error.status === 0 || error.status === 503)

function wordsOf(error: unknown): string {
  const { message } = error as Error
  return error instanceof PageError && error.hint !== null ? `${message} · ${error.hint}` : message
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
