/**
 * Thinking signatures: made when a reply is served, checked on every transcript that comes back.
 * 1. A signature is bound to its own thinking, to the model, and to everything before it: tools, system, all earlier
 *    blocks that are not thinking, and the thinking block before it.
 * 2. So thinking may be removed from the start, from the end, or altogether; removing a block from the middle, or
 *    editing anything earlier, breaks every later signature.
 * 3. The key is a constant: another lab accepts what this one has signed.
 * 4. A compaction block stands for everything before it: the messages that it summarizes may go or stay.
 * 5. Differences that the API ignores (key order, cache_control, string or block content) are ignored here.
 */
import { canonical } from './canonical.ts'
import { isThinking, type Block, type Conversation, type PlacedBlock, type Turn } from './conversation.ts'
import { digest, mac } from './digest.ts'
import { stringOf } from './json.ts'

const KEY = 'outage-lab'

interface Claim {
  readonly model: string
  readonly thinking: string
  readonly prefix: string
  /** The signature of the thinking block before, '' for the first. */
  readonly before: string
  /** Its ordinal among the thinking blocks of its assistant message. */
  readonly ordinal: number
}

export type BindingFault = 'signature' | 'modified' | 'model' | 'prefix'

export interface BindingFinding {
  readonly fault: BindingFault
  readonly placed: PlacedBlock
  /** It is in the last assistant message. */
  readonly latest: boolean
}

/** The running position in a transcript that signatures are bound to. */
export interface Binding {
  /** Tools and system prompt: what is left of the prefix after a compaction. */
  readonly start: string
  readonly prefix: string
  readonly before: string
  readonly ordinal: number
}

export function startBinding(conversation: Pick<Conversation, 'system' | 'tools'>): Binding {
  const start = digest(canonical(conversation.tools), canonical(conversation.system))
  return { start, prefix: start, before: '', ordinal: 0 }
}

/** The binding after one more block. */
export function bindBlock(binding: Binding, role: string, block: Block): Binding {
  if (isThinking(block)) return { ...binding, before: digest(signatureOf(block)), ordinal: binding.ordinal + 1 }
  const compacted = block.type === 'compaction' && typeof block['content'] === 'string'
  if (compacted) return { ...binding, prefix: digest(binding.start, 'compaction', canonical(block)), before: '' }
  return { ...binding, prefix: digest(binding.prefix, role, canonical(block)) }
}

/** The block with its signature (or, if redacted, its data). */
export function signBlock(binding: Binding, model: string, block: Block): Block {
  const { prefix, before, ordinal } = binding
  const claim: Claim = { model, thinking: thinkingDigest(block), prefix, before, ordinal }
  const body = Buffer.from(JSON.stringify(claim)).toString('base64url')
  const signature = Buffer.from(`${body}.${mac(KEY, body)}`).toString('base64')
  return block.type === 'thinking' ? { ...block, signature } : { ...block, data: signature }
}

/**
 * Walks the transcript and reports each thinking block that does not verify. A reported block still counts for the
 * ordinals of the blocks after it, but is no part of their prefix.
 */
export function checkBindings(
  conversation: Conversation,
  turns: readonly Turn[],
  model: { readonly id: string; readonly preservedThinking: boolean },
): { readonly findings: readonly BindingFinding[]; readonly end: Binding } {
  const findings: BindingFinding[] = []
  const lastAssistant = turns.findLastIndex((turn) => turn.role === 'assistant')
  let binding = startBinding(conversation)
  turns.forEach((turn, at) => {
    binding = { ...binding, ordinal: 0 }
    for (const placed of turn.blocks) {
      const fault =
        isThinking(placed.block) && turn.role === 'assistant'
          ? faultOf(placed.block, binding, model, at === lastAssistant)
          : undefined
      if (fault) {
        findings.push({ fault, placed, latest: at === lastAssistant })
        binding = { ...binding, ordinal: binding.ordinal + 1 }
      } else binding = bindBlock(binding, turn.role, placed.block)
    }
  })
  return { findings, end: turns.at(-1)?.role === 'assistant' ? binding : { ...binding, ordinal: 0 } }
}

export type CompactionFault = 'signature' | 'content'

/** A compaction block with this summary, as the lab signs it. */
export function signCompaction(content: string): Block {
  const told = digest('compaction', content)
  const signature = Buffer.from(`${told}.${mac(KEY, told)}`).toString('base64')
  return { type: 'compaction', content, encrypted_content: null, signature }
}

export function checkCompaction(block: Block): CompactionFault | undefined {
  const [told = '', tag] = Buffer.from(stringOf(block['signature']), 'base64').toString('utf8').split('.')
  if (tag !== mac(KEY, told)) return 'signature'
  return told === digest('compaction', stringOf(block['content'])) ? undefined : 'content'
}

/** What is wrong with a thinking block at this place. */
export function faultOf(
  block: Block,
  at: Binding,
  model: { readonly id: string; readonly preservedThinking: boolean },
  latest: boolean,
): BindingFault | undefined {
  const claim = readClaim(signatureOf(block))
  if (!claim) return 'signature'
  if (claim.thinking !== thinkingDigest(block)) return 'modified'
  if (claim.model !== model.id) return 'model'
  // One block of the latest message was taken out and a later one kept, or two assistant messages were merged.
  if (latest && claim.ordinal !== at.ordinal) return 'modified'
  if (!model.preservedThinking) return undefined
  const chained = claim.before === at.before || at.before === ''
  return claim.prefix === at.prefix && chained ? undefined : 'prefix'
}

function readClaim(signature: string): Claim | undefined {
  const [body = '', tag] = Buffer.from(signature, 'base64').toString('utf8').split('.')
  if (tag === undefined || tag !== mac(KEY, body)) return undefined
  return JSON.parse(Buffer.from(body, 'base64url').toString('utf8'))
}

function signatureOf(block: Block): string {
  return stringOf(block.type === 'thinking' ? block['signature'] : block['data'])
}

function thinkingDigest(block: Block): string {
  return digest(block.type, stringOf(block['thinking']))
}
