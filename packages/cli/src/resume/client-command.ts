/**
 * Clients that the gateway knows go on with their sessions themselves: they hold the conversation, and the gateway has only
 * the record. So the way on is a command of theirs, and to go back or to fork is theirs, too.
 */
import { LastgoodError, shellWord, type Head } from '@lastgood/core'
import type { SetUp } from '../common-options.ts'
import { agentNames } from '../config.ts'
import { safeLine } from '../text.ts'

interface Client {
  readonly name: string
  /** What follows `lastgood run --`. `model`: the one that it asked for, when another one answered last. */
  words(sessionId: string, model: string | undefined, message: string | undefined): string[]
  readonly forkFlag: string
  readonly goesBack: string
}

/** The words that hand a message to a command: one that begins with a dash is no option. */
export const messageWords = (message: string | undefined): string[] =>
  message === undefined ? [] : [...(message.startsWith('-') ? ['--'] : []), shellWord(message)]

const clients: Readonly<Record<string, Client>> = {
  'claude-code': {
    name: 'Claude Code',
    words: (id, model, message) => [
      'claude --resume',
      id,
      // It takes its model from the last answer otherwise.
      ...(model === undefined ? [] : ['--model', shellWord(model)]),
      ...messageWords(message),
    ],
    forkFlag: '--fork-session',
    goesBack: '/rewind',
  },
  opencode: {
    name: 'opencode',
    // Its screen takes no message for a session that is there (`--prompt` begins a new one only).
    words: (id, _model, message) => [
      `opencode${message === undefined ? '' : ' run'} --session`,
      id,
      ...messageWords(message),
    ],
    forkFlag: '--fork',
    goesBack: '/undo',
  },
}

type Session = Pick<Head, 'agent' | 'sessionId' | 'model' | 'machine'>

const clientOf = ({ agent = '' }: Pick<Head, 'agent'>): Client | undefined =>
  Object.hasOwn(clients, agent) ? clients[agent] : undefined

/** Whose session it is. `agents`: of the configuration; one that is called like a client is none. */
export function isClients(head: Pick<Head, 'agent'>, agents: ReadonlySet<string>): boolean {
  return clientOf(head) !== undefined && !agents.has(head.agent ?? '')
}

/** How the client goes on with its session, with a message or without; undefined for any other agent. `flags`: of the store. */
export function clientCommand(session: Session, flags: readonly string[], message?: string): string | undefined {
  const fallback = fallbackOf(session)
  const model = fallback === undefined || fallback === session.model ? undefined : session.model
  const words = clientOf(session)?.words(shellWord(session.sessionId), model, message)
  return words && ['lastgood run', ...flags, '--', ...words].join(' ')
}

/** The model of another rung that has the turn, or had the last one. */
export function fallbackOf({ machine }: Pick<Head, 'machine'>): string | undefined {
  return (machine.context as { rungModel?: string | null }).rungModel ?? undefined
}

/** The same for a command, which has to read its configuration only where an agent of it may be called like a client. */
export function isClientsAt(head: Pick<Head, 'agent'>, { config }: Pick<SetUp, 'config'>): boolean {
  return clientOf(head) !== undefined && isClients(head, agentNames(config()?.config))
}

/** Errors: `bad-option`. */
export function assertNoClients(head: Session, place: Pick<SetUp, 'config' | 'flags'>): void {
  if (isClientsAt(head, place)) throw heldByClient(head, place.flags)
}

/** Nothing that the journal goes back to, or begins with, binds the client. */
export function heldByClient(session: Session, flags: readonly string[]): LastgoodError {
  const { name = '', forkFlag = '', goesBack = '' } = clientOf(session) ?? {}
  const { sessionId } = session
  return new LastgoodError('bad-option', `${name} goes on with session ${sessionId} from what it holds itself`, {
    hint: `to fork it: ${safeLine(clientCommand(session, flags) ?? '')} ${forkFlag}; to go back in it: ${goesBack} there`,
    details: { sessionId },
  })
}
