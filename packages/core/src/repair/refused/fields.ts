/**
 * Fields that the API refused: `messages.1.content.0.text.parsed: Extra inputs are not permitted`.
 *
 * 1. Exactly the named field goes; it goes from every message, block or tool of that type, since the API names one at a
 *    time. Fields that a message or block needs stay, and so do system prompt and tools.
 * 2. It is left out of every further request too: what the API does not know in one message, it does not know in the next.
 */
import { isRecord, without } from '../../json.ts'
import type { Block, Message } from '../../journal/journal.ts'
import { mapBlocks, mapKeeping } from '../blocks.ts'
import type { Outgoing } from '../outgoing.ts'
import { repairedBy, refusalRule } from './refusal-rule.ts'

const ofRequests = ['model', 'messages', 'max_tokens', 'system', 'tools']
const ofBlocks = ['type', 'role', 'content', 'id', 'tool_use_id', 'input', 'name']
const essential = [...ofRequests, ...ofBlocks]
/** Fields that only blocks and sources of this type need. */
const essentialOf: Readonly<Record<string, readonly string[]>> = {
  text: ['text', 'media_type', 'data'],
  thinking: ['thinking', 'signature'],
  redacted_thinking: ['data'],
  image: ['source'],
  document: ['source'],
  base64: ['media_type', 'data'],
  url: ['url'],
  file: ['file_id'],
}

export const dropField = refusalRule({
  name: 'drop-field',
  row: 11,
  does: 'Leaves out exactly the field that the API named as unknown.',
  reach: 'model',
  repair(outgoing, { fault }, argument) {
    const named = argument?.split(',') ?? extraFieldsIn(fault?.message ?? '', fault?.paths ?? [])
    const whole: unknown = { ...outgoing.params, messages: outgoing.messages }
    const lacking = (path: string, from: unknown) => {
      const left = placesLike(path, outgoing.params['tools']).reduce((now, each) => removed(now, each.split('.')), from)
      const { messages } = left as Pick<Outgoing, 'messages'>
      const alike = path.startsWith('messages.') ? removedAlike(messages, path) : messages
      return alike === messages ? left : { ...(left as object), messages: alike }
    }
    const present = named.filter((path) => lacking(path, whole) !== whole)
    const left = present.reduce((now, path) => lacking(path, now), whole)
    if (present.length === 0 || !isRecord(left)) return undefined
    const { messages, ...params } = left
    const what = `left out ${present.join(', ')}`
    const now = { ...outgoing, params, messages: messages as readonly Message[] }
    return repairedBy(this, now, what, { argument: present.join(',') })
  },
})

/** The same field of every tool of the type that the API named. */
function placesLike(path: string, tools: unknown): readonly string[] {
  const [, at, field] = /^tools\.(\d+)\.(.+)$/.exec(path) ?? []
  if (field === undefined || !Array.isArray(tools)) return [path]
  const typeOf = (tool: unknown) => (isRecord(tool) ? (tool['type'] ?? 'custom') : undefined)
  return tools.flatMap((tool, index) => (typeOf(tool) === typeOf(tools[Number(at)]) ? [`tools.${index}.${field}`] : []))
}

const fieldOfMessage = /^messages\.\d+\.([^.]+)$/
/** Captures what follows the place of a block: its type and the path to the field. */
const fieldOfBlock = /^messages\.\d+\.content\.\d+\.(?:tool_result\.content\.\d+\.)?(.+)$/

function removedAlike(messages: readonly Message[], path: string): readonly Message[] {
  const own = fieldOfMessage.exec(path)?.[1]
  if (own !== undefined) return mapKeeping(messages, (message) => removed(message, [own]) as Message)
  const [type, ...field] = fieldOfBlock.exec(path)?.[1]?.split('.') ?? []
  return mapBlocks(messages, (block) => (block.type === type ? (removed(block, field) as Block) : block))
}

function extraFieldsIn(message: string, paths: readonly string[]): readonly string[] {
  return /extra inputs are not permitted/i.test(message) ? paths : []
}

/** `value` without the field; the same value if it has no such field. The API puts a block's type into its paths. */
function removed(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return value
  if (Array.isArray(value)) {
    const item: unknown = value[Number(key)]
    const changed = removed(item, rest)
    return changed === item ? value : value.with(Number(key), changed)
  }
  if (!isRecord(value)) return value
  if (rest.length > 0 && (value['type'] === key || !(key in value))) {
    const changed = removed(value, rest)
    if (changed !== value || !(key in value)) return changed
  }
  if (!(key in value)) return value
  if (rest.length === 0) return isEssential(value, key) ? value : without(value, [key])
  const changed = removed(value[key], rest)
  return changed === value[key] ? value : { ...value, [key]: changed }
}

function isEssential({ type }: Readonly<Record<string, unknown>>, key: string): boolean {
  return essential.includes(key) || (typeof type === 'string' && essentialOf[type]?.includes(key) === true)
}
