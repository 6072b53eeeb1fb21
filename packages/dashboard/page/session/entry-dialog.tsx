/** One entry of the journal with all its content, as text. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { getJson } from '../live/api.ts'
import { Modal } from '../shell/modal.tsx'
import { visibleText } from '../../src/visible-text.ts'

const shownCharacters = 200_000

export function EntryDialog({
  sessionId,
  seq,
  onClose,
}: {
  sessionId: string
  seq: number
  onClose: () => void
}): JSX.Element {
  const [text, setText] = useState<string>()
  useEffect(() => {
    const stop = new AbortController()
    getJson<unknown>(`api/sessions/${encodeURIComponent(sessionId)}/entries/${seq}?content=1`, stop.signal).then(
      (entry) => setText(JSON.stringify(entry, null, 2)),
      (error: Error) => stop.signal.aborted || setText(error.message),
    )
    return () => stop.abort()
  }, [sessionId, seq])
  const cut = text !== undefined && text.length > shownCharacters
  return (
    <Modal title={`Entry ${seq}`} onClose={onClose} isWide>
      <pre class="entry" tabIndex={0}>
        {text === undefined ? 'Reading…' : visibleText(text.slice(0, shownCharacters))}
      </pre>
      {cut && (
        <p class="muted">
          Cut after {shownCharacters.toLocaleString('en-US')} characters: lastgood show --raw has it all.
        </p>
      )}
    </Modal>
  )
}
