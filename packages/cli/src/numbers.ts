/** Counts as people read them. Pure. */

export { compact } from '@lastgood/dashboard'

/** `1 session`, `3 sessions`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`
}
