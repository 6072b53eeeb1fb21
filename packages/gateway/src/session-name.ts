/**
 * Which session a request belongs to, as far as the request says so itself.
 *
 * 1. A name that cannot be a session's id is replaced by its digest: the same name gives the same session.
 * 2. A request without a name is recognised by the beginning of its conversation.
 */
import { createHash } from 'node:crypto'
import { assertSessionId, betasOf, blocksOf, isStructured, type Message, type MessagesBody } from '@lastgood/core'

export interface SessionName {
  id: string
  /** An agent named it, which uses the same name for other requests too: titles, summaries, sub-agents. */
  hasHelpers: boolean
  /** The agent, if it says which it is: `claude-code`, `opencode`. */
  agent: string | undefined
}

/** Undefined if the request names none. */
export function sessionNameOf(headers: Headers, body: MessagesBody): SessionName | undefined {
  const named = idInHeaders(headers) ?? nameInMetadata(body)
  if (named === undefined) return undefined
  const id = asId(named)
  if (headers.get(ownHeader)) return { id, hasHelpers: false, agent: undefined }
  return { id, hasHelpers: true, agent: isSubAgent(headers) ? undefined : agentOf(headers, body) }
}

const ownHeader = 'x-lastgood-session'
/** Claude Code's comes beside the session's id; with opencode's, the session's id is that of the sub-agent. */
const [subAgentHeader, parentHeader] = ['x-claude-code-agent-id', 'x-parent-session-id']

const isSubAgent = (headers: Headers): boolean => Boolean(headers.get(subAgentHeader) || headers.get(parentHeader))

/** A sub-agent that names itself has a session named after its agent's, whatever its conversation begins with. */
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

function agentOf(headers: Headers, body: MessagesBody): string | undefined {
  if (isClaudeCode(headers, body)) return 'claude-code'
  return /\bopencode\//.test(agentIn(headers)) ? 'opencode' : undefined
}

/** It always names its session, at first in the metadata alone. Others call themselves the same: qwen-code does. */
export const isClaudeCode = (headers: Headers, body: MessagesBody): boolean =>
  headers.has('x-claude-code-session-id') ||
  (agentIn(headers).startsWith('claude-cli/') && nameInMetadata(body) !== undefined)

const agentIn = (headers: Headers): string => headers.get('user-agent') ?? ''

export const hasTools = ({ tools }: Readonly<Record<string, unknown>>): boolean =>
  Array.isArray(tools) && tools.length > 0

/**
 * Whether an agent asks for its own purposes, not in its conversation. A request without tools does (a title, a
 * summary), unless it is from a Claude Code without tools, which its beta tells. One with tools does to judge a hook.
 */
export function isForItself(headers: Headers, body: MessagesBody): boolean {
  if (hasTools(body)) return /You are evaluating an? \w+ hook in Claude Code/.test(JSON.stringify(body['system'] ?? ''))
  return isStructured(body) || !betasOf(headers).includes('claude-code-20250219')
}

/**
 * Whether Claude Code asks it beside its conversation, with all that was said and its tools (a suggestion, `/btw`, a
 * recap, a compaction): it goes on from what it marks for the cache, and here the end has no mark.
 */
export function isAside(headers: Headers, body: MessagesBody): boolean {
  const isMarked = (message: Message) => blocksOf(message).some((block) => block['cache_control'] != null)
  const { messages } = body
  const last = messages.at(-1)
  return isClaudeCode(headers, body) && last !== undefined && !isMarked(last) && messages.some(isMarked)
}

/**
 * Whether Claude Code only asks if it may use a model, as it does of each at Bedrock: for one token, with seconds of
 * patience. The truth about now is the answer, and no conversation.
 */
export const isProbe = (headers: Headers, body: MessagesBody): boolean =>
  isClaudeCode(headers, body) && body['max_tokens'] === 1 && body.messages.length === 1 && !hasTools(body)

/** A short digest of the beginning of a request's conversation, without cache markers, which clients move around. */
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
    // Leaves room for the suffix of a helper's session.
    if (name.length > 100) return digest(name)
    assertSessionId(name)
    return name
  } catch {
    return digest(name)
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12)
