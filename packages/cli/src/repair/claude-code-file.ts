/**
 * Repair of a session file of Claude Code: the conversation as messages, mended by core's rules, and the mends put back
 * into the lines that they came from.
 *
 * 1. Only lines of the conversation are written anew, and of these only what was mended: the content of a message, or the
 *    parent of one that another now stands before. Every other byte stays.
 * 2. No line is taken out: others may hang on it. An answer's line that lost its content is left without any; a message
 *    that is no more becomes a note that the client shows and does not send.
 * 3. What would be written was looked at again, and needs nothing more.
 */
import {
  editsBetween,
  repairTranscript,
  type Block,
  type Message,
  type RepairedTranscript,
  type RepairNote,
} from '@lastgood/core'
import { conversationOf, isSpoken, linesOf, tipOf, type Json, type Line, type Spoken } from './claude-code-lines.ts'

export interface MendedFile {
  readonly before: readonly Message[]
  readonly after: readonly Message[]
  readonly repairs: readonly RepairNote[]
  /** What the file should hold; undefined when nothing is to be done, or it cannot be mended. */
  readonly bytes?: Buffer
  readonly unrepairable?: string
}

/** A message and the lines that it is made of. */
interface Group {
  readonly message: Message
  readonly parts: readonly Part[]
}

interface Part {
  readonly line: Spoken
  readonly blocks: readonly Block[]
}

/** Undefined when it is no such file. */
export function mendClaudeCodeFile(file: Buffer, newId: () => string): MendedFile | undefined {
  const lines = linesOf(file)
  if (!lines.some(isSpoken)) return undefined
  const { groups, mended } = lookAt(lines)
  const before = groups.map(({ message }) => message)
  const { messages: after, repairs, unrepairable } = mended
  if (unrepairable) return { before, after, repairs, unrepairable: unrepairable.what }
  if (repairs.length === 0) return { before, after, repairs }
  const bytes = Buffer.concat(written(lines, groups, after, newId))
  const second = lookAt(linesOf(bytes)).mended.repairs
  if (second.length === 0) return { before, after, repairs, bytes }
  const left = [...new Set(second.map(({ rule }) => rule))].join(', ')
  return { before, after, repairs, unrepairable: `a second look would find more to mend (${left})` }
}

function lookAt(lines: readonly Line[]): { groups: Group[]; mended: RepairedTranscript } {
  const spoken = conversationOf(lines)
  const groups = groupsOf(spoken)
  const models = spoken.flatMap(({ value }) => (value.type === 'assistant' ? [value.message['model']] : []))
  // Messages of its own have no model: `<synthetic>`.
  const model = models.findLast((name) => typeof name === 'string' && !name.startsWith('<'))
  const messages = groups.map(({ message }) => message)
  return { groups, mended: repairTranscript({ messages, ...(typeof model === 'string' && { model }) }) }
}

/** As the client sends them: lines of one answer are one message, and so are those of the user in a row. */
function groupsOf(spoken: readonly Spoken[]): Group[] {
  const groups: Part[][] = []
  for (const line of spoken) {
    const { content } = line.value.message
    const part: Part = { line, blocks: typeof content === 'string' ? [{ type: 'text', text: content }] : content }
    const home = homeOf(groups, line)
    if (home) home.push(part)
    else groups.push([part])
  }
  return groups.map((parts) => {
    const { role, content } = (parts[0] as Part).line.value.message
    const blocks = parts.flatMap((part) => part.blocks)
    return { parts, message: { role, content: parts.length === 1 && typeof content === 'string' ? content : blocks } }
  })
}

/** A call may stand behind results of calls before it, where they were quick. */
function homeOf(groups: readonly Part[][], { value }: Spoken): Part[] | undefined {
  const last = groups.at(-1)
  const roleOf = (parts: readonly Part[] | undefined) => parts?.[0]?.line.value.message.role
  if (value.message.role === 'user') return roleOf(last) === 'user' ? last : undefined
  const id = value.message['id']
  if (typeof id !== 'string') return undefined
  const isOurs = (parts: readonly Part[] | undefined) =>
    roleOf(parts) === value.message.role && parts?.[0]?.line.value.message['id'] === id
  if (isOurs(last)) return last
  const before = groups.at(-2)
  const isOfResults = roleOf(last) === 'user' && last?.every(({ blocks }) => blocks.every(isResult))
  return isOfResults && isOurs(before) ? before : undefined
}

const isResult = ({ type }: Block): boolean => type === 'tool_result'

/** All lines, those that were mended in their new form. */
function written(
  lines: readonly Line[],
  groups: readonly Group[],
  after: readonly Message[],
  newId: () => string,
): Buffer[] {
  const changed = new Map<Line, Json>()
  const added = new Map<Line | undefined, Json[]>()
  const before = groups.map(({ message }) => message)
  for (const { from, to, insert } of editsBetween(before, after)) {
    const here = groups.slice(from, to)
    const homes = homesOf(here, insert)
    for (const group of here)
      if (!homes.includes(group)) for (const { line } of group.parts) changed.set(line, note(line, changed.get(line)))
    insert.forEach((message, at) => {
      const home = homes[at]
      if (home) putBack(message, home, changed)
      else {
        const next = [...homes.slice(at + 1), ...groups.slice(to)].flatMap((group) => group?.parts ?? [])
        put(message, next.find(({ line }) => changed.get(line)?.['type'] !== 'system')?.line)
      }
    })
  }
  return [
    ...lines.flatMap((line) => [
      ...textsOf(added.get(line)),
      changed.has(line) ? textOf(changed.get(line), line) : line.bytes,
    ]),
    ...withBreak(lines.at(-1), textsOf(added.get(undefined))),
  ]

  /** A message of its own before `line`, or at the end. */
  function put({ role, content }: Message, line: Spoken | undefined): void {
    const known = line && (changed.get(line) ?? line.value)
    const others = added.get(line) ?? []
    const parent = known ? known['parentUuid'] : (others.at(-1)?.['uuid'] ?? tipOf(lines) ?? null)
    const uuid = newId()
    const type = role === 'assistant' ? 'assistant' : 'user'
    const stamp = aroundOf((line ?? groups.at(-1)?.parts.at(-1)?.line)?.value ?? {})
    const value = { parentUuid: parent ?? null, ...stamp, type, message: { role, content }, isMeta: true, uuid }
    added.set(line, [...others, value])
    if (line && known) changed.set(line, { ...known, parentUuid: uuid })
  }
}

/** Which group each message came from; undefined for one that is new. */
function homesOf(groups: readonly Group[], messages: readonly Message[]): (Group | undefined)[] {
  if (groups.length === messages.length) return [...groups]
  let from = 0
  return messages.map((message) => {
    const at = groups.findIndex((group, i) => i >= from && shares(group, message))
    if (at < 0) return undefined
    from = at + 1
    return groups[at]
  })
}

function shares({ message: { role }, parts }: Group, message: Message): boolean {
  if (role !== message.role) return false
  const own = parts.flatMap(({ blocks }) => blocks)
  return blocksIn(message).some((block) => own.includes(block))
}

const blocksIn = ({ content }: Message): readonly Block[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content

/** Each block goes to the line that it came from, or to that of the block before it. */
function putBack(message: Message, { parts, message: old }: Group, changed: Map<Line, Json>): void {
  const blocks = blocksIn(message)
  const origins = parts.flatMap((part, at) => part.blocks.map(() => at))
  const own = parts.flatMap((part) => part.blocks)
  const isOneByOne = blocks.length === own.length
  const places = blocks.map((block, at) => (isOneByOne ? origins[at] : origins[own.indexOf(block)]))
  const content: Block[][] = parts.map(() => [])
  let least = 0
  blocks.forEach((block, at) => {
    const wanted = places[at] ?? places.slice(at).find((place) => place !== undefined) ?? least
    least = Math.max(least, wanted)
    content[least]?.push(block)
  })
  parts.forEach(({ line, blocks: had }, at) => {
    const has = content[at] ?? []
    const isSame = has.length === had.length && has.every((block, i) => block === had[i])
    if (isSame && message.role === old.role) return
    const known = changed.get(line) ?? line.value
    const isEmpty = has.length === 0
    if (isEmpty && message.role !== 'assistant') changed.set(line, note(line, known))
    else
      changed.set(line, {
        ...known,
        message: { ...line.value.message, role: message.role, content: isSame ? line.value.message.content : has },
      })
  })
}

/** What the fields around a message say of the session. */
const around = ['isSidechain', 'userType', 'entrypoint', 'cwd', 'sessionId', 'version', 'gitBranch', 'timestamp']

const aroundOf = (value: Json): Json =>
  Object.fromEntries(around.flatMap((name) => (value[name] === undefined ? [] : [[name, value[name]]])))

/** In place of a message that is no more. */
function note({ value }: Spoken, known: Json = value): Json {
  return {
    parentUuid: known['parentUuid'] ?? null,
    ...aroundOf(value),
    type: 'system',
    subtype: 'informational',
    content: 'lastgood repair left out a message here',
    isMeta: false,
    level: 'info',
    uuid: value.uuid,
  }
}

const textsOf = (values: readonly Json[] = []): Buffer[] =>
  values.map((value) => Buffer.from(`${JSON.stringify(value)}\n`))

/** With the line break that it had. */
function textOf(value: Json | undefined, { bytes }: Line): Buffer {
  const end = /\r?\n$/.exec(bytes.subarray(-2).toString('latin1'))?.[0] ?? ''
  return Buffer.from(JSON.stringify(value) + end)
}

/** What comes after a last line without a line break begins with one. */
function withBreak(last: Line | undefined, texts: readonly Buffer[]): Buffer[] {
  const isOpen = last !== undefined && last.bytes.at(-1) !== 0x0a
  return texts.length > 0 && isOpen ? [Buffer.from('\n'), ...texts] : [...texts]
}
