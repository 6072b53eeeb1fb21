/**
 * The width of an element, measured before its first paint and followed from then on, whenever it comes and goes. Drawn
 * with a guessed width, content could overflow a narrow screen for a moment.
 */
import { useRef, useState } from 'preact/hooks'

export function useWidth(initial: number): { element: (element: HTMLElement | null) => void; width: number } {
  const [width, setWidth] = useState(initial)
  const observer = useRef<ResizeObserver | null>(null)
  const { current: element } = useRef((found: HTMLElement | null): void => {
    observer.current?.disconnect()
    if (!found) return
    setWidth(Math.round(found.getBoundingClientRect().width))
    observer.current = new ResizeObserver(([entry]) => entry && setWidth(Math.round(entry.contentRect.width)))
    observer.current.observe(found)
  })
  return { element, width }
}
