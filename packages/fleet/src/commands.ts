/** The Lua sources of `commands/`. They are read from `src`, which is part of the package: the compiler skips them. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

export type CommandName = 'claim' | 'put' | 'settle' | 'start'

export interface Command {
  source: string
  /** What EVALSHA calls the script. */
  sha1: string
}

const loaded = new Map<CommandName, Command>()

export function command(name: CommandName): Command {
  const known = loaded.get(name)
  if (known) return known
  // The same path from `src` and from `dist`.
  const source = readFileSync(new URL(`../src/commands/${name}.lua`, import.meta.url), 'utf8')
  const fresh = { source, sha1: createHash('sha1').update(source).digest('hex') }
  loaded.set(name, fresh)
  return fresh
}
