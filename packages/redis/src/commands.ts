/** The Lua sources of `commands/`. The build inlines them, so that no file is read at run time. */
import { createHash } from 'node:crypto'
import acquire from './commands/acquire.lua'
import append from './commands/append.lua'
import putBlob from './commands/put-blob.lua'
import release from './commands/release.lua'
import remove from './commands/remove.lua'
import renew from './commands/renew.lua'
import rights from './commands/rights.lua'
import sharedWrite from './commands/shared-write.lua'
import summary from './commands/summary.lua'
import unlist from './commands/unlist.lua'

export const commands = {
  acquire: command(acquire),
  append: command(append),
  'put-blob': command(putBlob),
  release: command(release),
  remove: command(remove),
  renew: command(renew),
  rights: command(rights),
  'shared-write': command(sharedWrite),
  summary: command(summary),
  unlist: command(unlist),
}

/** `sha1`: the name of the script for EVALSHA. */
function command(source: string): { source: string; sha1: string } {
  return { source, sha1: createHash('sha1').update(source).digest('hex') }
}
