/**
 * Which rows of a long list are in the browser's view, updated while the page scrolls.
 *
 * 1. One measurement a frame, however many scroll events there are.
 * 2. A short list is drawn as a whole.
 */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { rowsInView, type Offsets, type Range } from './rows-in-view.ts'

const around = 6
/** Lists up to this length are drawn whole, so that a browser's search and a printer find all rows. */
const wholeUpTo = 150

/** `place` is the element that contains the rows, starting at its top. */
export function useWindow(offsets: Offsets): { place: { current: HTMLElement | null }; range: Range } {
  const place = useRef<HTMLElement | null>(null)
  const latest = useRef(offsets)
  latest.current = offsets
  const [range, setRange] = useState<Range>({ first: 0, end: Math.min(offsets.length - 1, 40) })
  const measure = useRef(() => {
    const box = place.current?.getBoundingClientRect()
    if (!box) return
    const seen = rowsInView(latest.current, -box.top, innerHeight - box.top, around)
    setRange((before) => (before.first === seen.first && before.end === seen.end ? before : seen))
  })
  useLayoutEffect(() => measure.current(), [offsets])
  useEffect(() => {
    let frame = 0
    const later = (): void => {
      frame ||= requestAnimationFrame(() => {
        frame = 0
        measure.current()
      })
    }
    const size = new ResizeObserver(later)
    size.observe(document.body)
    addEventListener('scroll', later, { passive: true, capture: true })
    addEventListener('resize', later)
    return () => {
      cancelAnimationFrame(frame)
      size.disconnect()
      removeEventListener('scroll', later, { capture: true })
      removeEventListener('resize', later)
    }
  }, [])
  const count = offsets.length - 1
  return { place, range: count <= wholeUpTo ? { first: 0, end: count } : range }
}
