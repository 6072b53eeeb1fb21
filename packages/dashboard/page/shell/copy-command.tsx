/** A command to be typed in a terminal, and a button that copies it. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { visibleLine } from '../words/visible-text.ts'

export function CopyCommand({ command, label = 'Copy' }: { command: string; label?: string }): JSX.Element {
  const [done, setDone] = useState<string>()
  const copy = (): void => {
    // Without a clipboard, as on a page without TLS on another host, it can still be selected.
    navigator.clipboard.writeText(command).then(
      () => setDone('Copied'),
      () => setDone('Select it'),
    )
  }
  return (
    <span class="command">
      <code tabIndex={0}>{visibleLine(command)}</code>
      <button type="button" class="quiet" onClick={copy} onBlur={() => setDone(undefined)} aria-live="polite">
        {done ?? label}
      </button>
    </span>
  )
}
