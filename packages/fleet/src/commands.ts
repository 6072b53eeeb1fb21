/** The scripts of `commands/`. The build inlines them, so that no file is read when a program runs. */
import { createHash } from 'node:crypto'
import claim from './commands/claim.lua'
import put from './commands/put.lua'
import settle from './commands/settle.lua'
import start from './commands/start.lua'
import take from './commands/take.lua'

const commands = {
  claim: command(claim),
  put: command(put),
  settle: command(settle),
  start: command(start),
  take: command(take),
}

/** `sha1`: the name of the script for EVALSHA. */
function command(source: string): { source: string; sha1: string } {
  return { source, sha1: createHash('sha1').update(source).digest('hex') }
}

/** The commands of a client that scripts need. */
export interface ScriptConnection {
  evalsha(sha1: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
  eval(source: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
}

/** What the script returns. Errors: the client's. */
export async function runScript(
  connection: ScriptConnection,
  name: keyof typeof commands,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  const { source, sha1 } = commands[name]
  const all = [...keys, ...args.map(String)]
  try {
    return await connection.evalsha(sha1, keys.length, ...all)
  } catch (error) {
    if (!String(error).includes('NOSCRIPT')) throw error
    return connection.eval(source, keys.length, ...all)
  }
}
