/**
 * Which session a request belongs to, as far as it says so itself.
 *
 * 1. A name that cannot be a session's id is replaced by its digest: the same name gives the same session.
 * 2. A request that says nothing is known by what its conversation begins with.
 */
import { createHash } from 'node:crypto'
import { assertSessionId, betasOf, blocksOf, isStructured, type MessagesBody } from '@lastgood/core'

export interface SessionName {
  id: string
  /** An agent named it, which asks other things under the same name as well: titles, summaries, sub-agents. */
  hasHelpers: boolean
  /** Which one, where it says so: `claude-code`, `opencode`. */
  agent: string | undefined
}

/** Undefined where the request names none. */
export function sessionNameOf(headers: Headers, body: MessagesBody): SessionName | undefined {
  const named = idInHeaders(headers) ?? nameInMetadata(body)
  if (named === undefined) return undefined
  const id = asId(named)
  if (headers.get(ownHeader)) return { id, hasHelpers: false, agent: undefined }
  return { id, hasHelpers: true, agent: isSubAgent(headers) ? undefined : agentOf(headers) }
}

const ownHeader = 'x-lastgood-session'
/** Of Claude Code, beside the session's; of opencode, where the session's is the sub-agent's own. */
const [subAgentHeader, parentHeader] = ['x-claude-code-agent-id', 'x-parent-session-id']

const isSubAgent = (headers: Headers): boolean => Boolean(headers.get(subAgentHeader) || headers.get(parentHeader))

/** A sub-agent that says which it is has a session named after its agent's, whatever it begins with. */
export function idInHeaders(headers: Headers): string | undefined {
  const chosen = headers.get(ownHeader)
  if (chosen) return asId(chosen)
  const named = headers.get('x-claude-code-session-id') || headers.get('x-session-id')
  if (!named) return undefined
  const [parent, subAgent] = [headers.get(parentHeader), headers.get(subAgentHeader)]
  if (parent) return subAgentId(parent, named)
  return subAgent ? subAgentId(named, subAgent) : asId(named)
}

const subAgentId = (session: string, id: string): string => asId(`${asId(session)}.${digest(id)}`)

function agentOf(headers: Headers): string | undefined {
  if (isClaudeCode(headers)) return 'claude-code'
  return /\bopencode\//.test(agentIn(headers)) ? 'opencode' : undefined
}

export const isClaudeCode = (headers: Headers): boolean =>
  headers.has('x-claude-code-session-id') || agentIn(headers).startsWith('claude-cli/')

const agentIn = (headers: Headers): string => headers.get('user-agent') ?? ''

export const hasTools = ({ tools }: Readonly<Record<string, unknown>>): boolean =>
  Array.isArray(tools) && tools.length > 0

/**
 * What an agent asks without tools it asks for itself: a title, a summary. Claude Code that was given none says so, and
 * what it lets judge a hook has tools.
 */
export function isForItself(headers: Headers, body: MessagesBody): boolean {
  if (hasTools(body)) return /You are evaluating an? \w+ hook in Claude Code/.test(JSON.stringify(body['system'] ?? ''))
  return isStructured(body) || !betasOf(headers).includes('claude-code-20250219')
}

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
