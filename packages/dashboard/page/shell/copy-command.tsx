/** A command to be typed in a terminal, and a button that copies it. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { visibleLine } from '../../src/visible-text.ts'

export function CopyCommand({ command }: { command: string }): JSX.Element {
  const [done, setDone] = useState<string>()
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(command)
      setDone('Copied')
    } catch {
      // A page served without TLS by another host has no clipboard.
      setDone('Select it')
    }
  }
  return (
    <span class="command">
      <code tabIndex={0}>{visibleLine(command)}</code>
      <button
        type="button"
        class="quiet"
        onClick={() => void copy()}
        onBlur={() => setDone(undefined)}
        aria-live="polite"
      >
        {done ?? 'Copy'}
      </button>
    </span>
  )
}
