/** Asked before an action: says what it will do, and takes the reason, which is recorded. */
import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import { PageError } from '../live/api.ts'
import { Modal } from '../shell/modal.tsx'
import { toast } from '../shell/toasts.tsx'
import { visibleLine } from '../../src/visible-text.ts'

interface ActionDialogProps {
  title: string
  does: readonly string[]
  confirm: string
  onClose: () => void
  /** Returns the result in words. */
  run: (form: { reason: string; fields: FormData }) => Promise<string>
  children?: ComponentChildren
}

export function ActionDialog({ title, does, confirm, onClose, run, children }: ActionDialogProps): JSX.Element {
  const [isBusy, setBusy] = useState(false)
  const [failure, setFailure] = useState<{ message: string; hint: string | null }>()
  const submit = async (event: SubmitEvent & { currentTarget: HTMLFormElement }): Promise<void> => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    const reason = textIn(fields, 'reason').trim()
    if (reason === '') return
    setBusy(true)
    setFailure(undefined)
    try {
      toast(await run({ reason, fields }))
      onClose()
    } catch (error) {
      const hint = error instanceof PageError ? error.hint : null
      setFailure({ message: error instanceof Error ? error.message : String(error), hint })
      setBusy(false)
    }
  }
  return (
    <Modal title={title} onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <ul class="does">
          {does.map((line) => (
            <li key={line}>{visibleLine(line)}</li>
          ))}
        </ul>
        {children}
        <label class="field">
          Why? It is recorded.
          <input name="reason" required maxLength={300} pattern=".*\S.*" autocomplete="off" autofocus />
        </label>
        {failure && (
          <p class="failure" role="alert">
            <strong>Refused:</strong> {visibleLine(failure.message)}
            {failure.hint !== null && <span class="muted"> · {visibleLine(failure.hint)}</span>}
          </p>
        )}
        <div class="dialog-actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={isBusy}>
            {isBusy ? 'One moment…' : confirm}
          </button>
        </div>
      </form>
    </Modal>
  )
}

export function textIn(fields: FormData, name: string): string {
  const value = fields.get(name)
  return typeof value === 'string' ? value : ''
}
