/**
 * The identity of this process, so that another one can tell whether a lease's holder still lives.
 *
 * A pid means something only inside one process table. `realm` names that table: boot id and pid namespace on Linux,
 * else the host name. Only a dead pid of the same realm counts as dead; anything unknown counts as alive.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Owner } from '../journal/journal.ts'

/** This process as the owner of one opened session. `id` must be new for each. */
export function thisOwner(id: string): Owner {
  return { id, host: hostname(), realm: realm(), pid: process.pid }
}

const removing = 'removing:'

/** The id of an owner that holds a session in order to remove it. */
export const removerId = (id: string): string => `${removing}${id}`
export const isRemover = ({ id }: Owner): boolean => id.startsWith(removing)

/** Whether `owner` is known to be dead: same process table, and no such process in it. */
export function isDead(owner: Owner): boolean {
  if (owner.realm !== realm()) return false
  try {
    process.kill(owner.pid, 0)
    return false
  } catch (error) {
    // EPERM: it is alive and belongs to another user.
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

function realm(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}
