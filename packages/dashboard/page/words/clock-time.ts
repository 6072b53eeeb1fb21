/** Instants in the reader's time zone. */

/** `14:03` or `14:03:20`. */
export function clockTime(at: number, hasSeconds = true): string {
  const time = new Date(at)
  const text = `${two(time.getHours())}:${two(time.getMinutes())}`
  return hasSeconds ? `${text}:${two(time.getSeconds())}` : text
}

/** `29 Nov, 14:03:20`. */
export function dayTime(at: number): string {
  const day = new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })
  return `${day}, ${clockTime(at)}`
}

const two = (count: number): string => String(count).padStart(2, '0')
