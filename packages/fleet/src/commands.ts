/** The scripts of `commands/`. The build inlines them, so that no file is read when a program runs. */
import { createHash } from 'node:crypto'
import claim from './commands/claim.lua'
import put from './commands/put.lua'
import settle from './commands/settle.lua'
import start from './commands/start.lua'
import take from './commands/take.lua'

const sources = {
  claim,
  put,
  settle,
  start,
  take,
}

type CommandName = keyof typeof sources

/** The commands of a client that scripts need. */
export interface ScriptConnection {
  evalsha(sha1: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
  eval(source: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
}

interface Command {
  source: string
  /** The name of the script for EVALSHA. */
  sha1: string
}

const loaded = new Map<CommandName, Command>()

function command(name: CommandName): Command {
  const known = loaded.get(name)
  if (known) return known
  const source = sources[name]
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
