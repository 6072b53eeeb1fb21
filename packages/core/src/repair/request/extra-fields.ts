/**
 * Fields that a client library or another provider puts into blocks and that the API refuses.
 *
 * 1. Only fields that the API itself never returns are removed: what it returned passes through, known to us or not.
 */
import { isRecord, without } from '../../json.ts'
import type { Block } from '../../journal/journal.ts'
import { localRule } from '../rule.ts'
import { mapBlocks, mapKeeping } from '../blocks.ts'
import { withSignaturesKept } from './kept-signatures.ts'

/**
 * In any block: https://github.com/RooCodeInc/Roo-Code/issues/11429. In text:
 * https://github.com/anthropics/anthropic-sdk-typescript/issues/857
 */
const foreign = ['reasoning_details']
const foreignInText = ['parsed', 'parsed_output']
/** The beta that permits `scope`: https://github.com/anthropics/claude-code/issues/4378 */
const scopeBeta = /^prompt-caching-scope-/

const rule = localRule(
  { name: 'extra-fields', row: 11, invariant: 'Blocks have no field that the API does not know.' },
  (outgoing) => {
    const takesScope = outgoing.betas.some((beta) => scopeBeta.test(beta))
    const found = new Map<string, number>()
    function lessen<T extends Readonly<Record<string, unknown>>>(owner: T, names: readonly string[]): T {
      const extra = names.filter((name) => name in owner)
      for (const name of extra) found.set(name, (found.get(name) ?? 0) + 1)
      return extra.length > 0 ? without(owner, extra) : owner
    }
    const onBlock = (block: Block): Block => {
      const own = lessen(block, block.type === 'text' ? [...foreign, ...foreignInText] : foreign)
      const marker = own['cache_control']
      const plain = isRecord(marker) && !takesScope ? lessen(marker, ['scope']) : marker
      return plain === marker ? own : { ...own, cache_control: plain }
    }
    const messages = mapKeeping(mapBlocks(outgoing.messages, onBlock), (message) => lessen(message, foreign))
    const what = `left out fields: ${[...found].map(([name, times]) => `${name} (${times})`).join(', ')}`
    return { messages, mends: found.size > 0 ? [{ what }] : [] }
  },
)

export const extraFields = withSignaturesKept(rule)
