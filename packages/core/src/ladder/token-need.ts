/** How many tokens of its model's window a request takes, estimated without asking the API. */
import { withoutSummedUp } from '../journal/message.ts'
import { isRecord } from '../json.ts'
import type { Outgoing } from '../repair/outgoing.ts'
import { cardOf } from './built-in-cards.ts'

export interface TokenNeed {
  /** Tools, system and messages. */
  readonly input: number
  /** The room for an answer: `max_tokens`. */
  readonly output: number
}

/** https://platform.claude.com/docs/en/about-claude/glossary#tokens */
export const charactersPerToken = 3.5
/** The most for one image of the usual size: https://platform.claude.com/docs/en/build-with-claude/vision */
export const tokensPerImage = 1_600
/** The most for one page: https://platform.claude.com/docs/en/build-with-claude/pdf-support */
const tokensPerPage = 3_000
/** Characters of base64; a guess, since only the file itself tells its number of pages. */
const charactersPerPage = 100_000

/**
 * A guess on the safe side: characters of tools, system and messages / 3.5, times the scale of the model's tokenizer.
 * Base64 images count per image, other files by their estimated pages, signatures of thinking and what a compaction sums
 * up not at all.
 */
export function estimateTokens({ params, messages }: Outgoing): TokenNeed {
  const { system, tools, model, max_tokens: answer } = params
  let media = 0
  const text = JSON.stringify({ system, tools, messages: withoutSummedUp(messages) }, (key, value: unknown) => {
    if (key === 'signature') return undefined
    if (!isRecord(value) || value['type'] !== 'base64') return value
    const isImage = String(value['media_type']).startsWith('image/')
    media += isImage ? tokensPerImage : tokensPerPage * Math.ceil(String(value['data']).length / charactersPerPage)
    return undefined
  })
  return {
    input: Math.ceil((text.length / charactersPerToken) * cardOf(String(model)).tokenScale) + media,
    output: typeof answer === 'number' ? answer : 0,
  }
}
