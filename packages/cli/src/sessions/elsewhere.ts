/**
 * Where sessions are, for who finds none in the chosen store: a variable of the shell may have chosen it, and programs do not
 * read those. Only folders are looked at: who wanted a list does not wait for a server.
 */
import { isJournalError, type Store } from '@lastgood/core'
import type { SetUp } from '../common-options.ts'
import { missingFolder, placeText } from '../stores.ts'

export interface Elsewhere {
  /** For people. */
  readonly place: string
  /** The flags that lead a command there. */
  readonly flags: readonly string[]
}

/** The first of the other configured folders that holds sessions. `here`: the location of the chosen store. */
export async function elsewhere(
  { choices: [, ...others], configFlag }: Pick<SetUp, 'choices' | 'configFlag'>,
  here: string,
): Promise<Elsewhere | undefined> {
  for (const { address = '', source, flag, open } of others) {
    if (!address.startsWith('file:') || address === here || missingFolder(address) !== undefined) continue
    const { store, close } = await open()
    const isThere = await hasSessions(store)
    await close()
    if (isThere) return { place: placeText(store.location, source), flags: [flag, configFlag] }
  }
  return undefined
}

async function hasSessions(store: Store): Promise<boolean> {
  try {
    for await (const _ of store.list({})) return true
    return false
  } catch (error) {
    // One that cannot be read is one; a folder that cannot be read says nothing.
    return isJournalError(error)
  }
}
