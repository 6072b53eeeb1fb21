/** A dialog over the page. Esc and a click outside close it; the focus returns to where it was. */
import type { ComponentChildren, JSX } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'

interface ModalProps {
  title: string
  onClose: () => void
  children: ComponentChildren
  isWide?: boolean
}

export function Modal({ title, onClose, children, isWide = false }: ModalProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  // Not an effect after the paint: the focus would return after the next key, and undo where that key moved it.
  useLayoutEffect(() => {
    const before = document.activeElement
    dialog.current?.showModal()
    return () => {
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  return (
    <dialog
      ref={dialog}
      class={isWide ? 'wide' : ''}
      aria-labelledby={id}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <div class="dialog-body">
        <div class="dialog-head">
          <h2 id={id}>{title}</h2>
          <button type="button" class="quiet" aria-label="Close" onClick={() => dialog.current?.close()}>
            ✕
          </button>
        </div>
        {children}
      </div>
    </dialog>
  )
}
