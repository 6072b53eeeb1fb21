/** When a session may be pruned, in a few words; empty if the session does not say. */
import { expiryOf, type Head } from '@lastgood/core'
import { left } from '../durations.ts'

export function expiryText(head: Head, now: number): string {
  if (head.pinned) return 'pinned'
  const expiry = expiryOf(head)
  if (expiry === undefined) return ''
  return expiry <= now ? 'expired' : `expires in ${left(expiry - now)}`
}
