/**
 * The lines of a session file once its conversation is mended.
 *
 * 1. Only lines of the conversation are rewritten, and of these only what was mended: the content of a message, or the
 *    parent of a line that a new message now precedes. Every other byte stays.
 * 2. No line is removed: others may hang on it. An answer's line that lost its content is left empty; a message that is
 *    gone becomes a note that the client shows and does not send.
 */
import { blocksOf, editsBetween, type Block, type Message } from '@lastgood/core'
import { lineFrom, tipOf, type Json, type Line, type Spoken } from './claude-code-lines.ts'

/** A message and the lines that it is made of. */
export interface Group {
  readonly message: Message
  readonly parts: readonly Part[]
}

export interface Part {
  readonly line: Spoken
  readonly blocks: readonly Block[]
}

/** All lines, the mended ones in their new form. */
export function written(
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
    ...lines.flatMap((line) => {
      const value = changed.get(line)
      return [...textsOf(added.get(line)), (value ? lineFrom(value, line) : line).bytes]
    }),
    ...withBreak(lines.at(-1), textsOf(added.get(undefined))),
  ]

  /** Adds a new message before `line`, or at the end. */
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

/**
 * The group that each message came from; undefined for a new message. Groups stay in order, and as many blocks as
 * possible stay in their lines: a result that moved to its call must not displace everything that stood between.
 */
function homesOf(groups: readonly Group[], messages: readonly Message[]): (Group | undefined)[] {
  if (groups.length === messages.length && groups.every((group, at) => canBe(group, messages[at]))) return [...groups]
  const placeOf = new Map<unknown, number>()
  groups.forEach(({ parts }, at) => {
    for (const block of parts.flatMap(({ blocks }) => blocks)) placeOf.set(block, at).set(keyOf(block) ?? block, at)
  })
  const isShort = groups.length * messages.length <= 2500
  const pairs: Pair[] = []
  messages.forEach((message, at) => {
    // Where no block is shared, role and order decide.
    const shared = new Map(isShort ? groups.map((_group, place) => [place, least]) : [])
    for (const block of blocksOf(message)) {
      const place = placeOf.get(block) ?? placeOf.get(keyOf(block))
      if (place !== undefined) shared.set(place, (shared.get(place) ?? 0) + 1)
    }
    for (const [group, count] of shared) {
      if (groups[group]?.message.role !== message.role) continue
      const before = bestOf(pairs.filter((pair) => pair.message < at && pair.group < group))
      pairs.push({ message: at, group, score: count + (before?.score ?? 0), before })
    }
  })
  const homes: (Group | undefined)[] = messages.map(() => undefined)
  for (let pair = bestOf(pairs); pair; pair = pair.before) homes[pair.message] = groups[pair.group]
  return homes
}

/** Whether one may have become the other: a role that the API knows stays. */
const canBe = ({ message: { role } }: Group, message: Message | undefined): boolean =>
  role === message?.role || !/^(user|assistant)$/.test(role)

/** Less than any block. */
const least = 1 / 10_000

interface Pair {
  readonly message: number
  readonly group: number
  /** Blocks that stay in their lines, including those of the preceding pairs. */
  readonly score: number
  readonly before: Pair | undefined
}

const bestOf = (pairs: readonly Pair[]): Pair | undefined =>
  pairs.reduce<Pair | undefined>((best, pair) => (best && best.score >= pair.score ? best : pair), undefined)

/** What identifies a block after it was changed or made anew. A string's text block is made anew at every look. */
function keyOf({ type, text, ...more }: Block): unknown {
  if (type === 'text') return Object.keys(more).length === 0 ? text : undefined
  return type === 'tool_use' ? `call ${String(more['id'])}` : undefined
}

const isText = ({ type }: Block): boolean => type === 'text'

const isSame = (one: Block, other: Block | undefined): boolean =>
  one === other || (other !== undefined && isText(one) && keyOf(one) !== undefined && keyOf(one) === keyOf(other))

/** Puts each block into the line that it came from, or into that of the block before it. */
function putBack(message: Message, { parts, message: old }: Group, changed: Map<Line, Json>): void {
  const blocks = blocksOf(message)
  const origins = parts.flatMap((part, at) => part.blocks.map(() => at))
  const own = parts.flatMap((part) => part.blocks)
  const isOneByOne = blocks.length === own.length
  const places = blocks.map((block, at) =>
    isOneByOne ? origins[at] : origins[own.findIndex((one) => isSame(block, one))],
  )
  const content: Block[][] = parts.map(() => [])
  let least = 0
  blocks.forEach((block, at) => {
    const wanted = places[at] ?? places.slice(at).find((place) => place !== undefined) ?? least
    least = Math.max(least, wanted)
    content[least]?.push(block)
  })
  parts.forEach(({ line, blocks: had }, at) => {
    const has = content[at] ?? []
    const isKept = has.length === had.length && has.every((block, i) => isSame(block, had[i]))
    if (isKept && message.role === old.role) return
    const known = changed.get(line) ?? line.value
    const isEmpty = has.length === 0
    if (isEmpty && message.role !== 'assistant') changed.set(line, note(line, known))
    else
      changed.set(line, {
        ...known,
        message: { ...line.value.message, role: message.role, content: isKept ? line.value.message.content : has },
      })
  })
}

/** The fields around a message that describe the session. */
const around = ['isSidechain', 'userType', 'entrypoint', 'cwd', 'sessionId', 'version', 'gitBranch', 'timestamp']

const aroundOf = (value: Json): Json =>
  Object.fromEntries(around.flatMap((name) => (value[name] === undefined ? [] : [[name, value[name]]])))

/** Stands in for a message that is gone. */
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

/** Begins with a line break if the last line has none. */
function withBreak(last: Line | undefined, texts: readonly Buffer[]): Buffer[] {
  const isOpen = last !== undefined && last.bytes.at(-1) !== 0x0a
  return texts.length > 0 && isOpen ? [Buffer.from('\n'), ...texts] : [...texts]
}
