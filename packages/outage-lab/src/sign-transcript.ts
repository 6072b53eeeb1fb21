/**
 * Signs the thinking of a hand-written transcript, as if a lab had served every answer.
 * 1. Blocks that are signed already keep their signature, right or wrong.
 */
import { conversationOf, isThinking, turnsOf, type Block } from './conversation.ts'
import { isObject, objectsOf, stringOf } from './json.ts'
import { findModel, MODELS, type ModelCard } from './models.ts'
import { bindBlock, faultOf, signBlock, startBinding } from './signature.ts'

export interface SignOptions {
  /** The model whose thinking it is. Default: the model of the request. */
  readonly model?: string
  /** Default: the current models. */
  readonly models?: readonly ModelCard[]
}

/** A copy of the request in which every `thinking` without a signature, or with an empty one, is signed. */
export function signThinking<Request extends object>(request: Request, options: SignOptions = {}): Request {
  const copy = structuredClone(request)
  if (!isObject(copy)) return copy
  const id = options.model ?? stringOf(copy['model'])
  const card = findModel(options.models ?? MODELS, id)
  const model = { id: card?.id ?? id, preservedThinking: card?.habits.preservedThinking ?? true }
  const raw = objectsOf(copy['messages'])
  const turns = turnsOf(raw)
  let binding = startBinding(conversationOf(copy, id, turns))
  for (const { role, blocks } of turns) {
    binding = { ...binding, ordinal: 0 }
    for (const { block, message, index } of blocks) {
      const thinks = role === 'assistant' && isThinking(block)
      const signed = thinks && isUnsigned(block) ? signBlock(binding, model.id, block) : block
      const own = objectsOf(raw[message]?.['content'])[index]
      if (signed !== block && own) Object.assign(own, signed)
      binding =
        thinks && faultOf(signed, binding, model, true)
          ? { ...binding, ordinal: binding.ordinal + 1 }
          : bindBlock(binding, role, signed)
    }
  }
  return copy
}

function isUnsigned(block: Block): boolean {
  return stringOf(block.type === 'thinking' ? block['signature'] : block['data']) === ''
}
