/** The keyboard shortcuts, shown on `?`. */
import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { Modal } from './modal.tsx'
import { places } from './route.ts'

export const isHelpOpen = signal(false)

const keys: readonly (readonly [names: readonly string[], what: string])[] = [
  [['j', '↓'], 'next session'],
  [['k', '↑'], 'previous session'],
  [['Enter'], 'open it'],
  [['/'], 'search'],
  [['Esc'], 'leave the search, close a dialog'],
  ...places.map(({ key, about }) => [[key], about] as const),
  [['?'], 'this'],
]

export function HelpDialog(): JSX.Element | null {
  if (!isHelpOpen.value) return null
  return (
    <Modal title="Keys" onClose={() => (isHelpOpen.value = false)}>
      <dl class="keys">
        {keys.map(([names, what]) => (
          <div key={what}>
            <dt>
              {names.map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  )
}
