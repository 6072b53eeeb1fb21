/**
 * Cache markers: at most four, no short one before a long one, and none on a tool that is loaded later.
 * https://platform.claude.com/docs/en/build-with-claude/prompt-caching
 *
 * 1. Markers count in the API's order: tools, system, messages (inside a result before the result), and last the one
 *    for the request as a whole. They are not part of the prefix, so thinking stays valid.
 */
import { isRecord, recordsIn, without } from '../../json.ts'
import type { Message } from '../../journal/journal.ts'
import type { Outgoing } from '../outgoing.ts'
import { localRule, mendedBy } from '../rule.ts'
import { count, mapBlocks, mapKeeping, placedBlocks } from '../blocks.ts'

const mostMarkers = 4

type Marker = Readonly<Record<string, unknown>>

export const cacheMarkers = localRule(
  {
    name: 'cache-markers',
    row: 30,
    invariant:
      'At most four cache markers over tools, system, messages and the request, none on a tool that is loaded later.',
  },
  (outgoing) => {
    const loaded = withoutDeferred(outgoing)
    const repaired = lastFour(loaded, markersOf(loaded))
    if (repaired === outgoing) return undefined
    const given = markersOf(outgoing).length
    const what = `left out ${count(given - markersOf(repaired).length, 'cache marker')} of ${given}`
    return mendedBy({ outgoing: repaired, what })
  },
)

export const cacheTtl = localRule(
  { name: 'cache-ttl', row: 31, invariant: 'No cache marker of 5 minutes comes before one of an hour.' },
  (outgoing) => {
    const markers = markersOf(outgoing)
    const repaired = longFirst(outgoing, markers)
    if (repaired === outgoing) return undefined
    const raised = markersOf(repaired).filter(isLong).length - markers.filter(isLong).length
    const what = `set ${count(raised, 'cache marker')} before one of 1h to 1h`
    return mendedBy({ outgoing: repaired, what })
  },
)

/** The request with markers that the API accepts; the same object when there are not too many and all are in order. */
export function capCacheMarkers(outgoing: Outgoing): Outgoing {
  const loaded = withoutDeferred(outgoing)
  const markers = markersOf(loaded)
  const capped = lastFour(loaded, markers)
  return longFirst(capped, capped === loaded ? markers : markersOf(capped))
}

/** A tool that is loaded later is not in the prefix: https://github.com/decolua/9router/pull/3687 */
function withoutDeferred(outgoing: Outgoing): Outgoing {
  const { tools } = outgoing.params
  if (!Array.isArray(tools)) return outgoing
  const left = mapKeeping<unknown>(tools, (tool) =>
    isRecord(tool) && tool['defer_loading'] === true && 'cache_control' in tool
      ? without(tool, ['cache_control'])
      : tool,
  )
  return left === tools ? outgoing : { ...outgoing, params: { ...outgoing.params, tools: left } }
}

/** `markers` are those of the request. */
function lastFour(outgoing: Outgoing, markers: readonly Marker[]): Outgoing {
  const extra = markers.length - mostMarkers
  if (extra <= 0) return outgoing
  let at = 0
  return mapMarkers(outgoing, (marker) => (at++ < extra ? undefined : marker))
}

/** What precedes a one-hour marker is billed for an hour anyway, so the short markers before it are raised. */
function longFirst(outgoing: Outgoing, markers: readonly Marker[]): Outgoing {
  const lastLong = markers.findLastIndex(isLong)
  if (markers.slice(0, lastLong + 1).every(isLong)) return outgoing
  let at = 0
  return mapMarkers(outgoing, (marker) => (at++ >= lastLong || isLong(marker) ? marker : { ...marker, ttl: '1h' }))
}

const isLong = ({ ttl }: Marker): boolean => ttl === '1h'

function markersOf({ params, messages }: Outgoing): Marker[] {
  const markers = [...recordsIn(params['tools']).flatMap(own), ...recordsIn(params['system']).flatMap(own)]
  // A loop, because `flatMap` over a long history without any takes ten times as long.
  for (const message of messages) for (const marker of markersIn(message)) markers.push(marker)
  return [...markers, ...own(params)]
}

const own = ({ cache_control: marker }: Readonly<Record<string, unknown>>): Marker[] =>
  isRecord(marker) ? [marker] : []

/** The history is searched at every request, and most of its messages were searched before. */
const known = new WeakMap<Message, readonly Marker[]>()

function markersIn(message: Message): readonly Marker[] {
  const before = known.get(message)
  if (before) return before
  const markers = placedBlocks([message]).flatMap(({ block }) => own(block))
  known.set(message, markers)
  return markers
}

/** Replaces each marker by what `change` returns, in the API's order; undefined removes it. */
function mapMarkers(outgoing: Outgoing, change: (marker: Marker) => Marker | undefined): Outgoing {
  function on<T extends Readonly<Record<string, unknown>>>(owner: T): T {
    const marker = owner['cache_control']
    if (!isRecord(marker)) return owner
    const changed = change(marker)
    if (changed === marker) return owner
    return changed ? { ...owner, cache_control: changed } : without(owner, ['cache_control'])
  }
  const onList = (list: unknown): unknown =>
    Array.isArray(list) ? mapKeeping<unknown>(list, (item) => (isRecord(item) ? on(item) : item)) : list
  const { params } = outgoing
  const tools = onList(params['tools'])
  const system = onList(params['system'])
  const messages = mapBlocks(outgoing.messages, on)
  const isSame = tools === params['tools'] && system === params['system']
  const whole = on(
    isSame ? params : { ...params, ...(tools !== undefined && { tools }), ...(system !== undefined && { system }) },
  )
  return whole === params && messages === outgoing.messages ? outgoing : { ...outgoing, params: whole, messages }
}
