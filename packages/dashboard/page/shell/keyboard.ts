/** Keys that work on every page. Each page has its own keys besides; none is taken from a field or a dialog. */
import { isHelpOpen } from './help-dialog.tsx'
import { places } from './route.ts'

export function isTyping(event: KeyboardEvent): boolean {
  const { target } = event
  const isField = target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
  return isField || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') !== null
}

export function followKeys(): void {
  addEventListener('keydown', (event) => {
    if (isTyping(event)) return
    const place = places.find(({ key }) => key === event.key)
    if (event.key === '?') isHelpOpen.value = true
    else if (place) location.hash = place.address
    else return
    event.preventDefault()
  })
}
