/** Clients that the gateway knows go on with their sessions themselves: it only has the record. */
import { shellWord } from '@lastgood/core'

const commands: Readonly<Record<string, (sessionId: string) => string>> = {
  'claude-code': (id) => `lastgood run -- claude --resume ${id}`,
  opencode: (id) => `lastgood run -- opencode --session ${id}`,
}

/** How the client `agent` goes on with its session; undefined for any other agent. */
export const clientCommand = (agent: string | undefined, sessionId: string): string | undefined =>
  agent !== undefined && Object.hasOwn(commands, agent) ? commands[agent]?.(shellWord(sessionId)) : undefined
