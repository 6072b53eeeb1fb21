/** The result of an action, shown for a while, and announced to screen readers at once. */
import { signal } from '@preact/signals'
import type { JSX } from 'preact'

interface Toast {
  id: number
  text: string
}

const toasts = signal<readonly Toast[]>([])
let count = 0
const shownMs = 8_000

export function toast(text: string): void {
  const id = ++count
  toasts.value = [...toasts.value, { id, text }]
  setTimeout(() => (toasts.value = toasts.value.filter((one) => one.id !== id)), shownMs)
}

export function Toasts(): JSX.Element {
  return (
    <div class="toasts" role="status">
      {toasts.value.map(({ id, text }) => (
        <div class="toast" key={id}>
          {text}
        </div>
      ))}
    </div>
  )
}
