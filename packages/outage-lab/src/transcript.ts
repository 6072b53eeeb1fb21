/**
 * Everything about a request that the rules look at, computed once.
 * 1. Pure: the same request gives the same transcript. Only `pause` knows what a lab has served before.
 */
import {
  conversationOf,
  turnsOf,
  type Block,
  type Conversation,
  type PlacedBlock,
  type Role,
  type Turn,
} from './conversation.ts'
import { isObject, objectsOf, stringOf, type JsonObject } from './json.ts'
import type { ModelCard } from './models.ts'
import { checkBindings, type Binding, type BindingFinding } from './signature.ts'
import { tokensOf } from './tokens.ts'

/** From this version on sampling settings and some blocks are refused. */
const MODERN_VERSION = '2026-10-21'
export const BINDING_BETA = 'thinking-binding-controls-2026-08-01'
/** With it a request may ask for a verdict on each call of the answer: `safeguards`. */
export const SAFEGUARDS_BETA = 'dangerous-tool-use-2026-09-03'

/** Values for the places in a rule's text. */
export type Found = { readonly [place: string]: string | number | readonly string[] }

export interface RoledBlock extends PlacedBlock {
  readonly role: Role
}

export interface Marker {
  readonly path: string
  readonly ttl: string
}

/** Whether the last turn, paused by the lab, came back as served or changed; undefined if the lab did not pause it. */
export type Pause = 'same' | 'changed' | undefined

export interface Transcript {
  readonly request: JsonObject
  readonly card: ModelCard
  readonly conversation: Conversation
  readonly tools: readonly JsonObject[]
  /** The messages as they were sent. */
  readonly raw: readonly JsonObject[]
  /** The messages merged by role. */
  readonly turns: readonly Turn[]
  readonly blocks: readonly RoledBlock[]
  readonly markers: readonly Marker[]
  readonly betas: readonly string[]
  readonly modern: boolean
  readonly thinkingType: string | undefined
  readonly thinkingOff: boolean
  /** `prefix_mismatch_behavior: "drop_block"`. */
  readonly dropsBlocks: boolean
  readonly findings: readonly BindingFinding[]
  /** What the next signature is bound to. */
  readonly binding: Binding
  /** The last message is an unfinished turn that may be sent back as it is. */
  readonly paused: boolean
  readonly pause: Pause
  readonly tokens: number
}

export interface TranscriptContext {
  readonly card: ModelCard
  readonly version: string
  readonly betas: readonly string[]
  /** Is this the content of a turn that was served with `pause_turn`, or what a client made of one? */
  readonly pauseOf?: (content: readonly Block[]) => Pause
}

export function readTranscript(request: JsonObject, { card, version, betas, pauseOf }: TranscriptContext): Transcript {
  const raw = objectsOf(request['messages'])
  const turns = turnsOf(raw)
  const conversation = conversationOf(request, card.id, turns)
  const thinking = isObject(request['thinking']) ? request['thinking'] : {}
  const thinkingType = typeof thinking['type'] === 'string' ? thinking['type'] : undefined
  const { findings, end } = checkBindings(conversation, turns, {
    id: card.id,
    preservedThinking: card.habits.preservedThinking,
  })
  const last = turns.at(-1)
  const control = isObject(thinking['block_binding']) ? thinking['block_binding'] : {}
  const tools = objectsOf(request['tools'])
  const ending = last?.role === 'assistant' ? last.blocks.map(({ block }) => block) : undefined
  const pause = ending && pauseOf?.(ending)
  return {
    request,
    card,
    conversation,
    tools,
    raw,
    turns,
    blocks: turns.flatMap((turn) => turn.blocks.map((block) => ({ ...block, role: turn.role }))),
    markers: markersOf(request, raw, tools),
    betas,
    modern: version >= MODERN_VERSION,
    thinkingType,
    thinkingOff: thinkingType === 'disabled' || (thinkingType === undefined && card.habits.prefill),
    dropsBlocks: control['prefix_mismatch_behavior'] === 'drop_block',
    findings,
    binding: end,
    paused: pause !== undefined || ending?.at(-1)?.type === 'server_tool_use',
    pause,
    tokens: [
      ...conversation.tools,
      ...conversation.system,
      ...conversation.messages.flatMap((message) => message.content),
    ].reduce((sum: number, unit) => sum + tokensOf(unit), 0),
  }
}

export function place({ message, index }: Pick<PlacedBlock, 'message' | 'index'>): string {
  return `messages.${message}.content.${index}`
}

/** A check of single blocks: reports the first bad block, with its `{path}`. */
export function everyBlock(
  find: (placed: RoledBlock) => Found | undefined,
): (transcript: Transcript) => Found | undefined {
  return ({ blocks }) => {
    for (const placed of blocks) {
      const found = find(placed)
      if (found) return { path: place(placed), ...found }
    }
    return undefined
  }
}

function markersOf(request: JsonObject, raw: readonly JsonObject[], tools: readonly JsonObject[]): readonly Marker[] {
  const markers: Marker[] = []
  const look = (owner: JsonObject, path: string): void => {
    const control = owner['cache_control']
    if (isObject(control)) markers.push({ path, ttl: stringOf(control['ttl']) || '5m' })
  }
  tools.forEach((tool, at) => look(tool, `tools.${at}`))
  objectsOf(request['system']).forEach((block, at) => look(block, `system.${at}`))
  raw.forEach((message, at) =>
    objectsOf(message['content']).forEach((block, index) => {
      // Markers of blocks inside a tool result count as well.
      objectsOf(block['content']).forEach((inner, deep) =>
        look(inner, `${place({ message: at, index })}.content.${deep}`),
      )
      look(block, place({ message: at, index }))
    }),
  )
  look(request, 'cache_control')
  return markers
}
