/**
 * Clients that the gateway knows continue their sessions themselves: they hold the conversation, and the gateway has
 * only the record. So the way to resume is one of their own commands, and going back and forking are theirs, too.
 */
import { LastgoodError, shellWord, type Head } from '@lastgood/core'
import type { SetUp } from '../common-options.ts'
import { agentNames } from '../config.ts'
import { safeLine } from '../text.ts'

interface Client {
  readonly name: string
  /** What follows `lastgood run --`. `model`: the model it asked for, if another one answered last. */
  words(sessionId: string, model: string | undefined, message: string | undefined): string[]
  readonly forkFlag: string
  readonly goesBack: string
}

/** The words that pass a message to a command; `--` keeps one that begins with a dash from being read as an option. */
export const messageWords = (message: string | undefined): string[] =>
  message === undefined ? [] : [...(message.startsWith('-') ? ['--'] : []), shellWord(message)]

const clients: Readonly<Record<string, Client>> = {
  'claude-code': {
    name: 'Claude Code',
    words: (id, model, message) => [
      'claude --resume',
      id,
      // Otherwise it takes its model from the last answer.
      ...(model === undefined ? [] : ['--model', shellWord(model)]),
      ...messageWords(message),
    ],
    forkFlag: '--fork-session',
    goesBack: '/rewind',
  },
  opencode: {
    name: 'opencode',
    // Its screen accepts no message for an existing session (`--prompt` only begins a new one).
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

/** Whether a client owns the session. `agents`: the configuration's names; an agent named like a client is not one. */
export function isClients(head: Pick<Head, 'agent'>, agents: ReadonlySet<string>): boolean {
  return clientOf(head) !== undefined && !agents.has(head.agent ?? '')
}

/** The command with which the client continues its session; undefined for any other agent. `flags`: of the store. */
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

/** As `isClients`, but reads the configuration only if the agent is named like a client. */
export function isClientsAt(head: Pick<Head, 'agent'>, { config }: Pick<SetUp, 'config'>): boolean {
  return clientOf(head) !== undefined && isClients(head, agentNames(config()?.config))
}

/** Errors: `bad-option` for a client's session. */
export function assertNoClients(head: Session, place: Pick<SetUp, 'config' | 'flags'>): void {
  if (isClientsAt(head, place)) throw heldByClient(head, place.flags)
}

/** The client is not bound by any rewind or fork in the journal. */
export function heldByClient(session: Session, flags: readonly string[]): LastgoodError {
  const { name = '', forkFlag = '', goesBack = '' } = clientOf(session) ?? {}
  const { sessionId } = session
  return new LastgoodError('bad-option', `${name} continues session ${sessionId} from its own copy`, {
    hint: `to fork it: ${safeLine(clientCommand(session, flags) ?? '')} ${forkFlag}; to go back in it: ${goesBack} there`,
    details: { sessionId },
  })
}
