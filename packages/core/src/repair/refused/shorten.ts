/**
 * Shortens a conversation, from our own copy and the same way each time: old tool results become a line that says how
 * long they were, then old images and documents do. No person's or model's words are left out.
 *
 * 1. It goes oldest first and stops as soon as enough is gone. The last messages are touched only if nothing else
 *    helps, and then the newest results are cut in the middle.
 * 2. A request that cannot be made to fit is not touched: nothing is thrown away in vain.
 * 3. When it acts it makes room for several turns, since every edit costs the cache of everything after it.
 */
import { isRecord } from '../../json.ts'
import type { Block, Message } from '../../journal/journal.ts'
import type { ModelCard } from '../../ladder/model-card.ts'
import { charactersPerToken, tokensPerImage } from '../../ladder/token-need.ts'
import type { Fault } from '../../faults/fault.ts'
import { isResult } from '../block-kinds.ts'
import type { Outgoing } from '../outgoing.ts'
import { count, innerOf, mapBlocks, placedBlocks, type Placed } from '../blocks.ts'
import { cutInMiddle } from '../request/cut-text.ts'
import { isMedium, mediumLeftOut, sizeOf } from '../request/media.ts'
import { repairedBy, replacedBy, refusalRule } from './refusal-rule.ts'

/** Estimates are wrong by some percent. */
const margin = 0.95
const roomForTurns = 0.75 / margin
/** https://platform.claude.com/docs/en/api/overview#request-size-limits */
const largestBody = 32 * 1024 * 1024
const keptMessages = 20
const lastMessages = 2
const newestChars = 20_000
/** About the length of a stand-in line itself. */
const leastChars = 400

/** What is counted: characters of the window (where an image is as long as its tokens) or of the body. */
type Measure = 'chars' | 'bytes'

export const shortenOldResults = refusalRule({
  name: 'shorten-old-results',
  row: 34,
  does: 'Replaces old tool results with a line each, then old images, until the request fits.',
  reach: 'messages',
  repair(outgoing, { card, fault }, argument) {
    const [unit, given] = argument?.split('=') ?? []
    const measure: Measure = (unit ?? (fault?.kind === 'too-large' ? 'bytes' : 'chars')) === 'bytes' ? 'bytes' : 'chars'
    const limit = given === undefined ? limitFor(outgoing, measure, card, fault) : Number(given)
    const chosen = choose(outgoing, measure, limit)
    if (!chosen) return undefined
    const messages = mapBlocks(outgoing.messages, (block) => chosen.changed.get(block) ?? block)
    const removed = [...chosen.changed.keys()]
    const what = `shortened ${count(removed.length, 'old result or image')}, ${chosen.before} to ${chosen.after} ${measure}`
    return repairedBy(this, { ...outgoing, messages }, what, { argument: `${measure}=${limit}`, removed })
  },
})

export const placeholderLastResults = refusalRule({
  name: 'placeholder-last-results',
  does: 'Replaces the newest results and images with a line each: the server fails on something in them.',
  reach: 'messages',
  repair(outgoing, _context, argument) {
    const last = Number(argument ?? outgoing.messages.length - 1)
    const isLast = ({ place }: Placed) => place.message === last && place.inner === undefined
    const chosen = placedBlocks(outgoing.messages).filter((placed) => isLast(placed) && isReplaceable(placed.block))
    const stand = (block: Block) => standIn(block, 'the server fails on it')
    const what = `left out ${count(chosen.length, 'result or image')} of the last message`
    return replacedBy(this, outgoing, chosen, stand, what, { message: last, argument: String(last) })
  },
})

/** How much may be sent, in the given measure; by the API's own numbers where it gave them. */
function limitFor(outgoing: Outgoing, measure: Measure, card: ModelCard, fault: Fault | undefined): number {
  const now = total(outgoing, measure)
  if (measure === 'bytes') return now > largestBody ? Math.floor(largestBody * margin) : Math.floor(now / 2)
  const text = fault?.message ?? ''
  const [, tokens, most] = /(\d+) tokens > (\d+)/.exec(text) ?? []
  if (tokens !== undefined) return Math.floor((now / Number(tokens)) * Number(most) * margin)
  const [, input, answer, window] = /exceed context limit: (\d+) \+ (\d+) > (\d+)/.exec(text) ?? []
  const room = Number(window) - Number(answer)
  if (input !== undefined && room > 0) return Math.floor((now / Number(input)) * room * margin)
  const byCard = Math.floor(((card.maxInputTokens * charactersPerToken) / card.tokenScale) * margin)
  // If the request was refused although it fits by our count, our count is off.
  return byCard < now ? byCard : Math.floor(now / 2)
}

interface Choice {
  /** What goes out in place of a block. */
  readonly changed: ReadonlyMap<Block, Block>
  readonly before: number
  readonly after: number
}

function choose(outgoing: Outgoing, measure: Measure, limit: number): Choice | undefined {
  const before = total(outgoing, measure)
  if (before <= limit) return undefined
  const { length } = outgoing.messages
  const placed = placedBlocks(outgoing.messages).filter(({ place }) => place.inner === undefined)
  const old = (keep: number) => placed.filter(({ place }) => place.message < length - keep)
  const resultsFirst = (list: readonly Placed[]) => [
    ...list.filter(({ block }) => isResult(block)),
    ...list.filter(({ block }) => isMedium(block)),
  ]
  const line = (block: Block) => standIn(block, "the conversation had outgrown the model's window")
  const rounds = [
    { list: resultsFirst(old(keptMessages)), stand: line, goal: limit * roomForTurns },
    { list: resultsFirst(old(lastMessages)), stand: line, goal: limit },
    { list: resultsFirst(placed), stand: shortened, goal: limit },
  ]
  const changed = new Map<Block, Block>()
  let after = before
  for (const { list, stand, goal } of rounds) {
    if (changed.size > 0 && after <= limit) break
    for (const { block } of list) {
      if (after <= goal) break
      if (changed.has(block) || !isReplaceable(block)) continue
      const instead = stand(block)
      const won = weigh(block, measure) - weigh(instead, measure)
      if (won <= 0) continue
      changed.set(block, instead)
      after -= won
    }
  }
  return after > limit ? undefined : { changed, before, after }
}

/** Worth replacing: a medium, or a result that is longer than its stand-in line. */
function isReplaceable(block: Block): boolean {
  return isMedium(block) || (isResult(block) && weigh(block, 'bytes') > leastChars)
}

function standIn(block: Block, reason: string): Block {
  if (!isResult(block)) return mediumLeftOut(block, reason)
  const media = (innerOf(block) ?? []).filter(isMedium).length
  const size = `${weigh(block, 'bytes')} characters${media > 0 ? ` with ${count(media, 'image or document')}` : ''}`
  return { ...block, content: `[result of ${size} left out: ${reason}]` }
}

function shortened(block: Block): Block {
  if (!isResult(block)) return standIn(block, "the conversation had outgrown the model's window")
  const { content } = block
  const texts =
    typeof content === 'string' ? content : (innerOf(block) ?? []).map(({ text = '' }) => String(text)).join('\n')
  return { ...block, content: cutInMiddle(texts, newestChars) || '[no text]' }
}

/** The length of a request in characters of the window. */
export const charsOf = (outgoing: Outgoing): number => total(outgoing, 'chars')

function total({ params, messages }: Outgoing, measure: Measure): number {
  return messages.reduce((sum, message) => sum + weighMessage(message, measure), JSON.stringify(params).length)
}

function weighMessage(message: Message, measure: Measure): number {
  const { content } = message
  if (typeof content === 'string') return JSON.stringify(message).length
  const shell = JSON.stringify({ ...message, content: [] }).length + content.length
  return content.reduce((sum, block) => sum + weigh(block, measure), shell)
}

function weigh(block: Block, measure: Measure): number {
  const media = [block, ...(innerOf(block) ?? [])].filter((one) => isMedium(one) && isRecord(one['source']))
  const data = media.reduce((sum, one) => sum + sizeOf(one), 0)
  const whole = JSON.stringify(block).length
  return whole - (measure === 'bytes' ? 0 : data - media.length * tokensPerImage * charactersPerToken)
}
