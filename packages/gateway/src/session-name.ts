/**
 * Which session a request belongs to, as far as it says so itself.
 *
 * 1. A name that cannot be a session's id is replaced by its digest: the same name gives the same session.
 * 2. A request that says nothing is known by what its conversation begins with.
 */
import { createHash } from 'node:crypto'
import { assertSessionId, blocksOf, type MessagesBody } from '@lastgood/core'

export interface SessionName {
  id: string
  /** An agent named it, which asks other things under the same name as well: titles, summaries, sub-agents. */
  hasHelpers: boolean
  /** Which one, where it says so: `claude-code`, `opencode`. */
  agent: string | undefined
}

/** Undefined where the request names none. */
export function sessionNameOf(headers: Headers, body: MessagesBody): SessionName | undefined {
  const chosen = headers.get('x-lastgood-session')
  if (chosen) return { id: asId(chosen), hasHelpers: false, agent: undefined }
  const named = nameInHeaders(headers) ?? nameInMetadata(body)
  if (!named) return undefined
  const parent = headers.get('x-parent-session-id')
  if (parent) return subAgentOf(parent, named)
  const subAgent = headers.get('x-claude-code-agent-id')
  return subAgent ? subAgentOf(named, subAgent) : { id: asId(named), hasHelpers: true, agent: agentOf(headers) }
}

/** One that says which it is: a helper of its agent's session, whatever it begins with. */
function subAgentOf(session: string, id: string): SessionName {
  return { id: asId(`${asId(session)}.${digest(id)}`), hasHelpers: true, agent: undefined }
}

export function nameInHeaders(headers: Headers): string | undefined {
  const names = ['x-lastgood-session', 'x-claude-code-session-id', 'x-session-id']
  return names.map((name) => headers.get(name)).find(Boolean) ?? undefined
}

function agentOf(headers: Headers): string | undefined {
  if (isClaudeCode(headers)) return 'claude-code'
  return /\bopencode\//.test(agentIn(headers)) ? 'opencode' : undefined
}

export const isClaudeCode = (headers: Headers): boolean =>
  headers.has('x-claude-code-session-id') || agentIn(headers).startsWith('claude-cli/')

const agentIn = (headers: Headers): string => headers.get('user-agent') ?? ''

/** What an agent asks without tools it asks for itself: a title, a summary. */
export const hasTools = ({ tools }: Readonly<Record<string, unknown>>): boolean =>
  Array.isArray(tools) && tools.length > 0

/** What the conversation of a request begins with, in a few letters. A client's cache marker wanders, and says nothing. */
export function beginningOf({ messages: [first] }: MessagesBody): string {
  const said = first ? blocksOf(first) : null
  return digest(JSON.stringify(said, (key, value: unknown) => (key === 'cache_control' ? undefined : value)))
}

/** Claude Code: JSON with `session_id`; before that `user_…_session_<uuid>`. */
function nameInMetadata({ metadata }: MessagesBody): string | undefined {
  const userId = (metadata as { user_id?: unknown } | null | undefined)?.user_id
  if (typeof userId !== 'string') return undefined
  try {
    const { session_id: id } = JSON.parse(userId) as { session_id?: unknown }
    if (typeof id === 'string' && id !== '') return id
  } catch {
    // no JSON
  }
  return /_session_([\w-]+)$/.exec(userId)?.[1]
}

function asId(name: string): string {
  try {
    // Room for the name of a lane.
    if (name.length > 100) return digest(name)
    assertSessionId(name)
    return name
  } catch {
    return digest(name)
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12)
