/** The scripts of `commands/`. They are read from `src`, which is part of the package: the compiler skips them. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

type CommandName = 'claim' | 'put' | 'settle' | 'start' | 'take'

/** The commands of a client that scripts need. */
export interface ScriptConnection {
  evalsha(sha1: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
  eval(source: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
}

interface Command {
  source: string
  /** What EVALSHA calls the script. */
  sha1: string
}

const loaded = new Map<CommandName, Command>()

/** A package without its scripts should fail when the program starts. */
export function command(name: CommandName): Command {
  const known = loaded.get(name)
  if (known) return known
  // The same path from `src` and from `dist`.
  const source = readFileSync(new URL(`../src/commands/${name}.lua`, import.meta.url), 'utf8')
  const fresh = { source, sha1: createHash('sha1').update(source).digest('hex') }
  loaded.set(name, fresh)
  return fresh
}

/** What the script returns. Errors: the client's. */
export async function runScript(
  connection: ScriptConnection,
  name: CommandName,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  const { source, sha1 } = command(name)
  const all = [...keys, ...args.map(String)]
  try {
    return await connection.evalsha(sha1, keys.length, ...all)
  } catch (error) {
    if (!String(error).includes('NOSCRIPT')) throw error
    return connection.eval(source, keys.length, ...all)
  }
}
