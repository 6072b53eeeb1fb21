/** The default folder of journals, by the XDG base directory specification. Pure: the environment is an argument. */
import { isAbsolute, join } from 'node:path'

/** `$XDG_STATE_HOME/lastgood`, or `~/.local/state/lastgood`. A relative `XDG_STATE_HOME` is invalid and ignored. */
export function stateDir(env: Readonly<Record<string, string | undefined>>, home: string): string {
  const base = env['XDG_STATE_HOME']
  return join(base && isAbsolute(base) ? base : join(home, '.local', 'state'), 'lastgood')
}
