/** Thinking and images: content that is checked by what is inside it. */
import { isThinking } from '../conversation.ts'
import { placed, when, type Rule } from './rule.ts'
import { findBrokenImage, findEmptyImage, findHeavyImage, findLargeImage, findManyImages } from './image-checks.ts'

const BOUND =
  ' The block is bound to a different conversation. Remove the block, or set `thinking.block_binding.prefix_mismatch_behavior` to "drop_block".'

export const THINKING_RULES: readonly Rule[] = [
  {
    name: 'thinking-modified',
    row: 18,
    text: '{path}: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response.',
    check: ({ findings }) => placed(findings.find(({ fault, latest }) => fault === 'modified' && latest)),
  },
  {
    name: 'thinking-signature',
    row: 19,
    text: '{path}: Invalid `signature` in `thinking` block',
    check: ({ findings, card }) =>
      placed(
        findings.find(
          ({ fault }) =>
            fault === 'signature' || fault === 'modified' || (fault === 'model' && !card.habits.preservedThinking),
        ),
      ),
  },
  {
    name: 'thinking-binding',
    row: 20,
    text: `{path}: Invalid \`signature\` in \`thinking\` block.${BOUND}`,
    check: ({ findings, dropsBlocks }) =>
      placed(dropsBlocks ? undefined : findings.find(({ fault }) => fault === 'prefix')),
  },
  {
    name: 'thinking-first',
    row: 21,
    text: 'messages.{message}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{type}`. When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks). We recommend you include thinking blocks from previous turns. To avoid this requirement, disable `thinking`.',
    check: ({ turns, thinkingType }) => {
      const last = turns.findLast((turn) => turn.role === 'assistant')
      const first = last?.blocks[0]
      if (thinkingType !== 'enabled' || !last || !first || isThinking(first.block)) return undefined
      const calls = last === turns.at(-1) || last.blocks.some(({ block }) => block.type === 'tool_use')
      return calls ? { message: last.message, type: first.block.type } : undefined
    },
  },
  {
    name: 'thinking-disabled',
    row: 22,
    text: 'When thinking is disabled, an assistant message in the final position cannot contain thinking. To use thinking blocks, enable thinking in your request.',
    check: ({ turns, thinkingOff }) =>
      when(
        thinkingOff &&
          turns.at(-1)?.role === 'assistant' &&
          turns.at(-1)?.blocks.some(({ block }) => isThinking(block)) === true,
      ),
  },
]

export const IMAGE_RULES: readonly Rule[] = [
  {
    name: 'image-count',
    row: 32,
    own: true,
    text: 'messages: at most {limit} images may be provided. Found {count}.',
    check: findManyImages,
  },
  {
    name: 'image-bytes',
    row: 32,
    own: true,
    text: '{path}: image exceeds {limit} bytes: {bytes} bytes',
    check: findHeavyImage,
  },
  { name: 'image-empty', row: 32, text: '{path}: image cannot be empty', check: findEmptyImage },
  { name: 'image-broken', row: 32, text: 'Could not process image', check: findBrokenImage },
  {
    name: 'image-size',
    row: 32,
    text: '{path}.data: At least one of the image dimensions exceed max allowed size{kind}: {max_side_length_pixels} pixels',
    errorCode: 'image_dimensions_too_large',
    detailFields: ['max_side_length_pixels', 'paths'],
    check: findLargeImage,
  },
]
