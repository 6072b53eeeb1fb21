/**
 * Blocks in a place or a shape that the API does not accept: from histories of other providers, other programs, other
 * API versions.
 */
import { pausesTurn } from '../../journal/answer.ts'
import { isRecord, recordsIn, without } from '../../json.ts'
import { blocksOf, isCall, isServerCall, isThinking } from '../../journal/message.ts'
import type { Block, Message } from '../../journal/journal.ts'
import {
  callIdOf,
  idOf,
  inWords,
  isResult,
  isServerResult,
  setsEffort,
  textBlock,
  textIn,
  withBlocks,
} from '../block-kinds.ts'
import { count, mapBlocks, mapKeeping } from '../blocks.ts'
import { wellFormed } from '../request/ingest.ts'
import type { Outgoing, Params } from '../outgoing.ts'
import { localRule, mendEach, messageRule, type Mend, type Mended } from '../rule.ts'

export const unicode = localRule(
  { name: 'unicode', row: 37, invariant: 'Every text is valid Unicode.' },
  ({ messages, params }) => {
    const what = 'replaced half surrogate pairs by U+FFFD'
    const mended = mendEach(messages, (message) => {
      const good = wellFormed(message) as Message
      return good === message ? undefined : { instead: [good], what }
    })
    // Of the system prompt, for instance, with a text that was cut to a length.
    const settings = wellFormed(params) as Params
    return settings === params ? mended : { ...mended, params: settings, mends: [{ what }, ...mended.mends] }
  },
)

const idPattern = /^[a-zA-Z0-9_-]+$/

export const callIds = localRule(
  { name: 'call-ids', row: 8, invariant: 'Ids of tool calls have letters, digits, "_" and "-" only.' },
  ({ messages }) => {
    const taken = new Set(messages.flatMap((message) => blocksOf(message).filter(isCall).map(idOf)))
    const renamed = new Map<string, string>()
    const rename = (id: string): string => {
      if (idPattern.test(id)) return id
      const known = renamed.get(id)
      if (known !== undefined) return known
      const plain = id.replaceAll(/[^a-zA-Z0-9_-]/g, '_') || 'call'
      let name = plain
      for (let n = 2; taken.has(name); n += 1) name = `${plain}_${n}`
      taken.add(name)
      renamed.set(id, name)
      return name
    }
    return changedBlocks(messages, 'gave calls and results ids that the API takes', (block) => {
      if (isCall(block) && rename(idOf(block)) !== block['id']) return { ...block, id: rename(idOf(block)) }
      const of = callIdOf(block)
      return isResult(block) && rename(of) !== block['tool_use_id'] ? { ...block, tool_use_id: rename(of) } : block
    })
  },
)

/** https://github.com/anthropics/claude-code/issues/7370: the model wrote its command into the name. */
const longestName = 200

export const callNames = localRule(
  { name: 'call-names', row: 9, invariant: `The name of a called tool has at most ${longestName} characters.` },
  ({ messages, params }) => {
    const declared = recordsIn(params['tools']).map((tool) => textIn(tool, 'name'))
    const longestFirst = declared.toSorted((one, other) => other.length - one.length)
    const mends: Mend[] = []
    const changed = mapKeeping(messages, (message, at) => {
      const named = blocksOf(message).flatMap((block): Block[] => {
        const said = textIn(block, 'name')
        if (!isCall(block) || said.length <= longestName) return [block]
        mends.push({ message: at, what: `shortened a tool's name of ${said.length} characters`, removed: [block] })
        const known = longestFirst.find((name) => name !== '' && said.startsWith(name))
        const name = known ?? /^[a-zA-Z0-9_-]{1,64}/.exec(said)?.[0] ?? 'unknown'
        return [textBlock(`(The name of the next call was: ${said})`), { ...block, name }]
      })
      return withBlocks(message, named)
    })
    return { messages: changed, mends }
  },
)

export const callInputs = localRule(
  { name: 'call-inputs', row: 10, invariant: 'The input of a tool call is an object.' },
  ({ messages }) =>
    changedBlocks(messages, 'gave a tool call an object for input', (block) => {
      if (!isCall(block) || isRecord(block['input'])) return block
      const raw = block['input']
      return { ...block, input: raw === undefined || raw === null || raw === '' ? {} : { raw } }
    }),
)

export const placesOfCalls = messageRule(
  {
    name: 'places',
    row: 5,
    invariant: 'Tool calls, server tool blocks and thinking are in assistant messages, results in user messages.',
  },
  () => (message) => {
    const blocks = blocksOf(message)
    const lost = blocks.filter((block) => (message.role === 'assistant' ? isResult(block) : isOfAnswers(block)))
    if (lost.length === 0) return undefined
    const rest = blocks.filter((block) => !lost.includes(block))
    if (message.role === 'assistant') {
      const moved: Message = { role: 'user', content: lost }
      const instead = rest.length > 0 ? [withBlocks(message, rest), moved] : [moved]
      return { instead, what: `moved ${lost.length} results out of an assistant message` }
    }
    const what = `left out ${count(lost.length, 'block')} of an answer in a ${message.role} message`
    return { instead: [withBlocks(message, rest)], what, removed: lost }
  },
)

const isOfAnswers = (block: Block): boolean =>
  isCall(block) || isThinking(block) || isServerCall(block) || isServerResult(block)

export const documents = localRule(
  {
    name: 'documents',
    row: 33,
    invariant: 'Documents and citations of users are only where the API version takes them.',
  },
  ({ messages }, { apiVersion }) => {
    const mends: Mend[] = []
    // https://platform.claude.com/docs/en/api/versioning: accepted before this version.
    if (apiVersion !== undefined && apiVersion < '2026-10-21') return undefined
    const changed = mapKeeping(messages, (message, at) => {
      const blocks = mapKeeping(blocksOf(message), (block) => {
        if (message.role === 'assistant' && block.type === 'document') {
          mends.push({ message: at, what: 'left out a document of an assistant message', removed: [block] })
          return textBlock('[document left out: not taken in answers]')
        }
        if (message.role !== 'user' || block.type !== 'text' || !Array.isArray(block['citations'])) return block
        mends.push({ message: at, what: 'left out the citations of a user text' })
        const { citations: _citations, ...plain } = block
        return plain
      })
      return withBlocks(message, blocks)
    })
    return { messages: changed, mends }
  },
)

export const emptyText = localRule(
  {
    name: 'empty-text',
    row: 12,
    invariant: 'No text is blank, and no message is empty except one that sets the effort.',
  },
  ({ messages, params }, { stopReason }) => {
    const mended = mendEach(messages, (message, at) => {
      const isLast = at === messages.length - 1
      if (isLast && message.role === 'assistant' && pausesTurn({ stop_reason: stopReason })) return undefined
      if (setsEffort(message)) return undefined
      const before = blocksOf(message)
      const blocks = mapKeeping(before, (block) => {
        const inner = isResult(block) && Array.isArray(block['content']) ? (block['content'] as Block[]) : undefined
        return inner?.some(isBlank) ? { ...block, content: inner.filter((one) => !isBlank(one)) } : block
      }).filter((block) => !isBlank(block))
      if (blocks.length === before.length && blocks.every((block, i) => block === before[i]) && blocks.length > 0)
        return undefined
      if (blocks.length > 0) return { instead: [withBlocks(message, blocks)], what: 'left out blank text' }
      const instead = message.role === 'user' ? [{ ...message, content: '(no content)' }] : []
      return { instead, what: `repaired an empty ${message.role} message` }
    })
    if (!recordsIn(params['system']).some(isBlank)) return mended
    const mends = [{ what: 'left out blank text of the system prompt' }, ...mended.mends]
    return { ...mended, mends, params: withoutBlankSystem(params) }
  },
)

const isBlank = (block: Readonly<Record<string, unknown>>): boolean =>
  block['type'] === 'text' && textIn(block, 'text').trim() === ''

/** The cache marker of a blank text goes to the text before it. */
function withoutBlankSystem(params: Outgoing['params']): Outgoing['params'] {
  const kept: Readonly<Record<string, unknown>>[] = []
  for (const block of recordsIn(params['system'])) {
    const before = kept.at(-1)
    if (!isBlank(block)) kept.push(block)
    else if (before && 'cache_control' in block)
      kept.splice(-1, 1, { cache_control: block['cache_control'], ...before })
  }
  return kept.length > 0 ? { ...params, system: kept } : without(params, ['system'])
}

/** Changes every block, also inside results, to what `change` returns; adds one mend for each changed message. */
function changedBlocks(messages: readonly Message[], what: string, change: (block: Block) => Block): Mended {
  const changed = mapBlocks(messages, change)
  const mends = changed.flatMap((message, at) => (message === messages[at] ? [] : [{ message: at, what }]))
  return { messages: changed, mends }
}

/** A result whose call is nowhere, as text. */
export function asEarlierResult(block: Block): Block[] {
  const words = inWords(block)
  const [first, ...others] = words
  const lead = block['is_error'] === true ? '(error of an earlier call)' : '(result of an earlier call)'
  if (first?.type === 'text') return [textBlock(`${lead} ${String(first['text'])}`), ...others]
  return [textBlock(lead), ...words]
}
