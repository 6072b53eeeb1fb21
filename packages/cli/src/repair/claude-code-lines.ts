/**
 * A Claude Code session file, line by line: which lines are the conversation that the client continues.
 *
 * 1. A line that is not understood keeps its bytes.
 * 2. Lines form a tree by `parentUuid`. The conversation is the path from the last line up; abandoned branches and
 *    sub-agents (`isSidechain`) are not part of it. An answer is several lines with one `message.id`, and of parallel
 *    calls only the last result is on the path: the others hang on their calls.
 * 3. What the client only shows (`isApiErrorMessage`, `isVisibleInTranscriptOnly`) is not sent.
 * 4. After a compaction the path ends at its boundary, which names the messages that were kept.
 */
import type { Block, Message } from '@lastgood/core'

export type Json = Readonly<Record<string, unknown>>

export interface Line {
  /** Including its line break. */
  readonly bytes: Buffer
  /** Undefined if the line is not a JSON object in UTF-8. */
  readonly value: Json | undefined
}

/** A line that is a message, or a part of one. */
export interface Spoken extends Line {
  readonly value: Json & {
    readonly type: 'user' | 'assistant'
    readonly uuid: string
    readonly message: Message
  }
}

export const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const isMessage = (value: unknown): value is Message =>
  isRecord(value) &&
  typeof value['role'] === 'string' &&
  (typeof value['content'] === 'string' || isBlocks(value['content']))

const isBlocks = (value: unknown): boolean =>
  Array.isArray(value) && value.every((block) => isRecord(block) && typeof block['type'] === 'string')

export function linesOf(file: Buffer): Line[] {
  const lines: Line[] = []
  for (let from = 0; from < file.length;) {
    const at = file.indexOf(0x0a, from)
    const to = at < 0 ? file.length : at + 1
    const bytes = file.subarray(from, to)
    lines.push({ bytes, value: parsed(bytes) })
    from = to
  }
  return lines
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function parsed(bytes: Buffer): Json | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes))
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

export function isSpoken(line: Line): line is Spoken {
  const { value } = line
  if (!value || !isPlaced(value) || (value['type'] !== 'user' && value['type'] !== 'assistant')) return false
  if (value['isApiErrorMessage'] === true || value['isVisibleInTranscriptOnly'] === true) return false
  return isMessage(value['message'])
}

/** Whether it has a place in the tree of the main conversation. */
function isPlaced(value: Json | undefined): value is Json & { uuid: string } {
  return value !== undefined && typeof value['uuid'] === 'string' && value['isSidechain'] !== true
}

/** The `uuid` of the last placed line: the next line hangs on it. */
export function tipOf(lines: readonly Line[]): string | undefined {
  return lines.findLast(({ value }) => isPlaced(value))?.value?.['uuid'] as string | undefined
}

/** The lines of the conversation, in order. */
export function conversationOf(lines: readonly Line[]): Spoken[] {
  return withSiblings(lines, chainOf(lines)).flatMap((at) => {
    const line = lines[at]
    return line && isSpoken(line) ? [line] : []
  })
}

/** The same conversation with each line on the path: one that hung on its answer precedes the next line of the path. */
export function straightened(lines: readonly Line[]): Line[] {
  const chain = chainOf(lines)
  const on = new Set(chain)
  const now = [...lines]
  let beside: number[] = []
  for (const at of withSiblings(lines, chain)) {
    const next = now[at]
    if (!on.has(at)) beside.push(at)
    else if (next && isSpoken(next)) {
      let parent = next.value['parentUuid']
      for (const place of [...beside, at]) {
        const line = now[place] as Spoken
        if (line.value['parentUuid'] !== parent) now[place] = lineFrom({ ...line.value, parentUuid: parent }, line)
        parent = line.value.uuid
      }
      beside = []
    }
  }
  return now
}

/** The line with another value and its own line break. */
export function lineFrom(value: Json, { bytes }: Line): Line {
  const end = /\r?\n$/.exec(bytes.subarray(-2).toString('latin1'))?.[0] ?? ''
  return { value, bytes: Buffer.from(JSON.stringify(value) + end) }
}

/** Indexes of the path, with what a compaction kept. */
function chainOf(lines: readonly Line[]): number[] {
  const places = new Map<string, number>()
  lines.forEach(({ value }, at) => isPlaced(value) && places.set(value.uuid, at))
  const way = wayUp(
    lines,
    places,
    lines.findLastIndex(({ value }) => isPlaced(value)),
  )
  const kept = keptAt(lines, places, way)
  const after = kept.anchor === undefined ? -1 : way.indexOf(kept.anchor)
  return [...way.slice(0, after + 1), ...kept.places, ...way.slice(after + 1)]
}

/** Indexes from the first line to `tip`. A missing parent is replaced by the placed line before it. */
function wayUp(lines: readonly Line[], places: ReadonlyMap<string, number>, tip: number): number[] {
  const way = new Set<number>()
  for (let at = tip; at >= 0 && !way.has(at);) {
    way.add(at)
    const parent = lines[at]?.value?.['parentUuid']
    if (typeof parent !== 'string') break
    const known = places.get(parent)
    at = known ?? lines.slice(0, at).findLastIndex(({ value }) => isPlaced(value))
  }
  return [...way].reverse()
}

/** The messages that a compaction kept, and the line that they follow. */
function keptAt(
  lines: readonly Line[],
  places: ReadonlyMap<string, number>,
  way: readonly number[],
): { anchor?: number; places: number[] } {
  const boundary = way.map((at) => lines[at]?.value).findLast((value) => value?.['subtype'] === 'compact_boundary')
  const metadata = boundary?.['compactMetadata']
  if (!isRecord(metadata)) return { places: [] }
  const { preservedMessages: named, preservedSegment: segment } = metadata
  const [source, uuids] = isRecord(named)
    ? [named, Array.isArray(named['uuids']) ? named['uuids'] : []]
    : isRecord(segment)
      ? [segment, segmentOf(lines, places, segment)]
      : [undefined, []]
  const anchor = typeof source?.['anchorUuid'] === 'string' ? places.get(source['anchorUuid']) : undefined
  const found = uuids.flatMap((uuid) => places.get(String(uuid)) ?? []).filter((at) => !way.includes(at))
  return { ...(anchor !== undefined && { anchor }), places: found }
}

function segmentOf(lines: readonly Line[], places: ReadonlyMap<string, number>, segment: Json): unknown[] {
  const uuids: unknown[] = []
  for (let uuid = segment['tailUuid']; typeof uuid === 'string' && !uuids.includes(uuid);) {
    uuids.push(uuid)
    if (uuid === segment['headUuid']) break
    uuid = lines[places.get(uuid) ?? -1]?.value?.['parentUuid']
  }
  return uuids.reverse()
}

/** Adds the other lines of the path's answers, and the results that hang on them, each behind its answer. */
function withSiblings(lines: readonly Line[], chain: readonly number[]): number[] {
  const on = new Set(chain)
  const ways = new Map<string, number[]>()
  chain.forEach((at, step) => {
    const id = answerOf(lines[at])
    if (id !== undefined) ways.set(id, [...(ways.get(id) ?? []), step])
  })
  const answers = new Map<unknown, string>()
  for (const line of lines) {
    const id = answerOf(line)
    if (id !== undefined && ways.has(id)) answers.set(line.value?.['uuid'], id)
  }
  const placed = chain.map((at, step): Placed => ({ at, step, rank: 0 }))
  lines.forEach((line, at) => {
    if (on.has(at) || !isSpoken(line)) return
    const { value } = line
    const own = answers.get(value.uuid)
    if (own !== undefined) {
      const steps = ways.get(own) ?? []
      const before = steps.findLast((step) => (chain[step] ?? 0) < at)
      placed.push({ at, step: before ?? steps[0] ?? 0, rank: before === undefined ? -1 : 1 })
      return
    }
    const id = answers.get(value['sourceToolAssistantUUID']) ?? answers.get(value['parentUuid'])
    if (id === undefined || !isResult(line)) return
    // A second result may hang on the first.
    answers.set(value.uuid, id)
    let step = ways.get(id)?.at(-1) ?? 0
    for (let next = chain[step + 1]; next !== undefined && next < at && isResult(lines[next]); next = chain[step + 1]) {
      step += 1
    }
    placed.push({ at, step, rank: 2 })
  })
  return placed.sort((a, b) => a.step - b.step || a.rank - b.rank || a.at - b.at).map(({ at }) => at)
}

/** A line and its place at a step of the path: before it (-1), on it (0), behind it as part of it (1), after it (2). */
interface Placed {
  readonly at: number
  readonly step: number
  readonly rank: number
}

/** The id of the answer that a line belongs to. */
function answerOf(line: Line | undefined): string | undefined {
  if (!line || !isSpoken(line) || line.value.type !== 'assistant') return undefined
  const id = line.value.message['id']
  return typeof id === 'string' ? id : undefined
}

function isResult(line: Line | undefined): boolean {
  return line !== undefined && isSpoken(line) && line.value.type === 'user' && holdsResult(line.value.message.content)
}

const holdsResult = (content: string | readonly Block[]): boolean =>
  typeof content !== 'string' && content.some(({ type }) => type === 'tool_result')
