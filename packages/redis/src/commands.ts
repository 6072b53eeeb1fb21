/** The Lua sources of `commands/`. The build inlines them, so that no file is read at run time. */
import { createHash } from 'node:crypto'
import acquire from './commands/acquire.lua'
import append from './commands/append.lua'
import putBlob from './commands/put-blob.lua'
import release from './commands/release.lua'
import remove from './commands/remove.lua'
import renew from './commands/renew.lua'
import sharedWrite from './commands/shared-write.lua'
import summary from './commands/summary.lua'
import unlist from './commands/unlist.lua'

const sources = {
  acquire,
  append,
  'put-blob': putBlob,
  release,
  remove,
  renew,
  'shared-write': sharedWrite,
  summary,
  unlist,
}

export type CommandName = keyof typeof sources

export interface Command {
  source: string
  /** The script's name for EVALSHA. */
  sha1: string
}

const loaded = new Map<CommandName, Command>()

export function command(name: CommandName): Command {
  const known = loaded.get(name)
  if (known) return known
  const source = sources[name]
  const fresh = { source, sha1: createHash('sha1').update(source).digest('hex') }
  loaded.set(name, fresh)
  return fresh
}
