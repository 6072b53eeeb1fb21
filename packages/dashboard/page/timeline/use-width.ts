/** The width of an element, followed. */
import { useEffect, useRef, useState } from 'preact/hooks'

export function useWidth(initial: number): { element: { current: HTMLDivElement | null }; width: number } {
  const element = useRef<HTMLDivElement | null>(null)
  const [width, setWidth] = useState(initial)
  useEffect(() => {
    if (!element.current) return
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.round(entry.contentRect.width)))
    observer.observe(element.current)
    return () => observer.disconnect()
  }, [])
  return { element, width }
}
