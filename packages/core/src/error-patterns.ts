/**
 * What the API's error texts mean, where it sends no code to branch on: ONE table (version 1), each row with its public source.
 *
 * 1. A text only chooses between kinds; nothing is safe because of it. An unknown text of a 4xx is `request-rejected`,
 *    which is told at once, so wording that changes costs a worse reason, never a loop.
 * 2. No text turns a 4xx into a kind that is waited out for hours.
 * 3. The first match wins, so that the order is part of the table.
 */
import type { FaultKind } from './fault.ts'

export interface ErrorPattern {
  /** The statuses under which the text was seen; an in-band error counts as the status of its type, none at all as 0. */
  statuses: readonly number[]
  text: RegExp
  kind: FaultKind
  /** Where the text is documented or was reported. */
  source: string
}

const github = 'https://github.com'
const docs = 'https://platform.claude.com/docs/en'

export const errorPatterns: readonly ErrorPattern[] = [
  // fetch refuses these itself, without a code, each time.
  {
    statuses: [0],
    text: /\bbad port$|\bunknown scheme$/,
    kind: 'config',
    source: 'https://fetch.spec.whatwg.org/#port-blocking',
  },
  {
    statuses: [0],
    text: /\binvalid header (name|value)/i,
    kind: 'config',
    source: 'https://fetch.spec.whatwg.org/#headers-class',
  },
  // Load and accounts.
  {
    statuses: [500],
    text: /^overloaded\b/i,
    kind: 'overloaded',
    source: `${github}/anthropics/claude-code/issues/7832`,
  },
  {
    statuses: [400, 403, 429],
    text: /reached your specified (\w+ )?api usage limits/i,
    kind: 'spend-blocked',
    source: `${github}/anthropics/claude-code/issues/38035`,
  },
  {
    statuses: [400, 403, 429],
    text: /credit balance is too low/i,
    kind: 'spend-blocked',
    source: `${github}/anthropics/claude-code/issues/66314`,
  },
  {
    statuses: [429],
    text: /extra usage is required/i,
    kind: 'spend-blocked',
    source: `${github}/anthropics/claude-code/issues/29584`,
  },
  {
    statuses: [400],
    text: /organization has been disabled/i,
    kind: 'auth-blocked',
    source: `${github}/anthropics/claude-code/issues/19028`,
  },
  {
    statuses: [400, 500],
    text: /output blocked by content filtering policy/i,
    kind: 'output-filtered',
    source: `${github}/anthropics/claude-code/issues/25934`,
  },
  // Models.
  {
    statuses: [404],
    text: /^model: \S/i,
    kind: 'model-gone',
    source: `${github}/anthropics/claude-code/issues/5349`,
  },
  {
    statuses: [404],
    text: /^claude [\w .-]+ is not available\b/i,
    kind: 'model-gone',
    source: `${github}/anthropics/claude-code/issues/68120`,
  },
  {
    statuses: [400],
    text: /model identifier is invalid/i,
    kind: 'model-gone',
    source: `${github}/langchain-ai/langchain-aws/issues/252`,
  },
  // Size.
  {
    statuses: [400],
    text: /prompt is too long/i,
    kind: 'too-large',
    source: `${docs}/build-with-claude/context-windows`,
  },
  {
    statuses: [400],
    text: /input length and `max_tokens` exceed context limit/i,
    kind: 'too-large',
    source: `${docs}/build-with-claude/context-windows`,
  },
  {
    statuses: [400],
    text: /request size exceeds model context window|request exceeds the maximum size/i,
    kind: 'too-large',
    source: `${github}/anthropics/claude-code/issues/6380`,
  },
  // The transcript.
  {
    statuses: [400],
    text: /`(tool_use|tool_result|thinking|redacted_thinking)`|tool_use (must have|ids)|tool use (concurrency|with id|block)/i,
    kind: 'transcript-invalid',
    source: `${docs}/agents-and-tools/tool-use/troubleshooting-tool-use`,
  },
  {
    statuses: [400],
    text: /^messages(\.\d|: )/i,
    kind: 'transcript-invalid',
    source: `${github}/anthropics/claude-code/issues/4778`,
  },
  {
    statuses: [400],
    text: /text content blocks must|must have non-empty content|cannot be set for empty text blocks/i,
    kind: 'transcript-invalid',
    source: `${github}/anthropics/claude-code/issues/60837`,
  },
  {
    statuses: [400],
    text: /does not support assistant message prefill|must end with a user message/i,
    kind: 'transcript-invalid',
    source: `${docs}/build-with-claude/streaming`,
  },
  {
    statuses: [400],
    text: /thinking is disabled, an assistant message in the final position/i,
    kind: 'transcript-invalid',
    source: `${github}/tailcallhq/forgecode/issues/1853`,
  },
  {
    statuses: [400],
    text: /role 'system' is not supported/i,
    kind: 'transcript-invalid',
    source: `${docs}/build-with-claude/mid-conversation-system-messages`,
  },
  {
    statuses: [400],
    text: /no low surrogate in string|surrogates not allowed/i,
    kind: 'transcript-invalid',
    source: `${github}/anthropics/claude-code/issues/60394`,
  },
  {
    statuses: [400],
    text: /could not process image|image cannot be empty|image dimensions exceed|image format \S+ not supported/i,
    kind: 'transcript-invalid',
    source: `${github}/anthropics/claude-code/issues/1747`,
  },
]

/** The kind that the text stands for under this status, if the table knows it. */
export function kindByText(status: number, text: string): FaultKind | undefined {
  return errorPatterns.find((pattern) => pattern.statuses.includes(status) && pattern.text.test(text))?.kind
}
