/**
 * What the API's error texts mean where it sends no code to branch on: ONE table (version 3), each row with its public
 * source.
 *
 * 1. A text only chooses between kinds and proposes repairs; no safety depends on it. A 4xx with an unknown text is
 *    `request-rejected`, which is reported at once, so changed wording costs a less precise reason, never a loop.
 * 2. No text turns a 4xx into a kind that is waited out for hours.
 * 3. The first match wins, so the order matters.
 */
import type { Meaning } from './error-codes.ts'
import type { FaultKind } from './fault-kinds.ts'
import type { RuleName } from '../repair/refused/refusal-rules.ts'

export interface ErrorPattern extends Meaning {
  /** The statuses that the text was seen with; an in-band error has the status of its type, no answer at all has 0. */
  readonly statuses: readonly number[]
  readonly text: RegExp
  /** Where the text is documented or was reported. */
  readonly source: string
}

const github = 'https://github.com'
const docs = 'https://platform.claude.com/docs/en'

type Row = readonly [statuses: number | readonly number[], text: RegExp, source: string, ...repairs: RuleName[]]

const rows: readonly (readonly [FaultKind, readonly Row[]])[] = [
  [
    'config',
    [
      // fetch itself refuses these every time, without a code.
      [0, /\bbad port$|\bunknown scheme$/, 'https://fetch.spec.whatwg.org/#port-blocking'],
      [0, /\binvalid header (name|value)/i, 'https://fetch.spec.whatwg.org/#headers-class'],
      // A proxy on the way wants a login, or does not let the host through.
      [0, /\bproxy response \(40[03-7]\) !== 200\b/i, `${github}/nodejs/undici/issues/2542`],
    ],
  ],
  ['overloaded', [[500, /^overloaded\b/i, `${github}/anthropics/claude-code/issues/7832`]]],
  [
    'spend-blocked',
    [
      [
        [400, 403, 429],
        /reached your specified (\w+ )?api usage limits/i,
        `${github}/anthropics/claude-code/issues/38035`,
      ],
      [[400, 403, 429], /credit balance is too low/i, `${github}/anthropics/claude-code/issues/66314`],
      [429, /extra usage is required/i, `${github}/anthropics/claude-code/issues/29584`],
      [400, /out of extra usage|draw from your extra usage/i, `${github}/anthropics/claude-code/issues/45048`],
      [
        [400, 429],
        /budget has been exceeded|\b(exceeded|crossed|over) ?budget\b/i,
        `${github}/BerriAI/litellm/issues/14144`,
      ],
    ],
  ],
  [
    'auth-blocked',
    [
      [[400, 401, 403], /organization has been disabled/i, `${github}/anthropics/claude-code/issues/19028`],
      [
        [401, 403],
        /not allowed for this organization|does not have access to claude/i,
        `${github}/anthropics/claude-code/issues/6752`,
      ],
      [400, /credential is only authorized for use with/i, `${github}/anthropics/claude-code/issues/8046`],
      [400, /not allowed from unsupported countries/i, `${github}/anthropics/claude-code/issues/2656`],
    ],
  ],
  [
    'output-filtered',
    [[[400, 500], /output blocked by content filtering policy/i, `${github}/anthropics/claude-code/issues/25934`]],
  ],
  [
    'model-gone',
    [
      [404, /^model: \S/i, `${github}/anthropics/claude-code/issues/5349`],
      [404, /^claude [\w .-]+ is not available\b/i, `${github}/anthropics/claude-code/issues/68120`],
      [400, /model identifier is invalid/i, `${github}/langchain-ai/langchain-aws/issues/252`],
      [[400, 403], /on-demand throughput|access to the model with the/i, `${github}/cline/cline/issues/1952`],
      [404, /\bpublisher model\b.* not found/i, `${github}/pydantic/pydantic-ai/issues/5002`],
      [400, /not allowed to use publisher model/i, `${github}/yym68686/uni-api/issues/41`],
      [404, /^model ['"`][^'"`]+['"`] not found/i, `${github}/anthropics/claude-code/issues/41120`],
      [400, /invalid model (id|name)\b|is not a valid model id\b/i, `${github}/BerriAI/litellm/issues/12061`],
      [[401, 403], /\bnot allowed to access model\b/i, `${github}/winfunc/opcode/issues/358`],
      [400, /requested model is not supported/i, `${github}/ericc-ch/copilot-api/issues/139`],
      // OpenRouter has nobody who serves the model, or serves it with what the request needs.
      [
        404,
        /\bno endpoints (found|available)\b|\bno allowed providers are available\b/i,
        `${github}/musistudio/claude-code-router/issues/285`,
      ],
      [404, /\bdeployment for this resource does not exist\b/i, `${github}/NousResearch/hermes-agent/issues/47812`],
      [
        404,
        /model version has reached the end of its life|model is marked by provider as legacy/i,
        `${github}/aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws/issues/708`,
      ],
      [[400, 404], /\buse[- ]case (form|details)\b/i, `${github}/truefoundry/models/pull/934`],
      [400, /\bis not servable in region\b/i, `${github}/redhat-data-and-ai/template-agent/issues/349`],
      // An organisation without 30 days of retention cannot use some models; another model can take the turn.
      [400, /data retention/i, `${docs}/about-claude/models/overview`],
    ],
  ],
  [
    'server-object-lost',
    [
      [
        [400, 404, 500],
        /\bcontainer\b.{0,80}\b(expired|not found|no longer|does not exist|invalid)/i,
        `${github}/pydantic/pydantic-ai/issues/7833`,
        'drop-container',
      ],
      [
        [400, 404],
        /\bfiles?\b.{0,80}\b(expired|not found|no longer|does not exist|deleted)/i,
        `${docs}/build-with-claude/files`,
        'drop-files',
      ],
    ],
  ],
  [
    'context-overflow',
    [
      [[400, 413], /prompt is too long/i, `${docs}/build-with-claude/context-windows`, 'shorten-old-results'],
      [
        400,
        /input is too long for requested model/i,
        `${github}/anthropics/claude-code/issues/8637`,
        'shorten-old-results',
      ],
      [
        400,
        /input length and `max_tokens` exceed context limit/i,
        `${docs}/build-with-claude/context-windows`,
        'clamp-max-tokens',
        'shorten-old-results',
      ],
      [
        [400, 413],
        /exceeds model context window/i,
        `${github}/anthropics/claude-code/issues/6380`,
        'shorten-old-results',
      ],
    ],
  ],
  [
    'too-large',
    [[400, /request exceeds the maximum size/i, `${docs}/api/errors`, 'shrink-images', 'shorten-old-results']],
  ],
  [
    'image-rejected',
    [
      [
        400,
        /could not process (image|pdf)|image cannot be empty|image dimensions exceed|image format \S+ not supported|image exceeds|image was specified using/i,
        `${github}/anthropics/claude-code/issues/1747`,
        'remove-images',
      ],
      [
        400,
        /the pdf specified (is|was)|invalid base64 data|base64\.media_type: input should be/i,
        `${github}/anthropics/claude-code/issues/25323`,
        'remove-images',
      ],
      [
        400,
        /unable to download the file|disallowed by the website's robots\.txt/i,
        `${docs}/build-with-claude/vision`,
        'remove-images',
      ],
      [
        400,
        /too (many|much) (images|media)|at most \d+ images|\d+ pdf pages/i,
        `${docs}/build-with-claude/vision`,
        'shrink-images',
      ],
    ],
  ],
  [
    'params-incompatible',
    [
      [400, /max_tokens: \d+ > \d+/i, `${github}/OpenHands/OpenHands/issues/11090`, 'clamp-max-tokens'],
      [
        400,
        /`max_tokens` must be greater than `thinking\.budget_tokens`/i,
        `${docs}/build-with-claude/extended-thinking`,
        'thinking-config',
        'thinking-off-with',
      ],
      [
        400,
        /\bbudget_tokens: input should be greater/i,
        `${github}/danny-avila/LibreChat/issues/8346`,
        'thinking-config',
        'thinking-off-with',
      ],
      [400, /when tool_choice forces tool use/i, `${github}/can1357/oh-my-pi/issues/341`, 'thinking-off-with'],
      // The form of these words is known from other tags.
      [
        400,
        /input tag '(compaction|compact_\d+)'/i,
        `${github}/anthropics/anthropic-sdk-go/issues/235`,
        'compaction-as-text',
      ],
      [
        400,
        /^(thinking|tools\.\d+|tool_choice): input tag/i,
        `${github}/anthropics/anthropic-sdk-go/issues/235`,
        'thinking-config',
        'drop-params',
      ],
      [400, /strategy requires `?thinking/i, `${github}/anthropics/claude-code/issues/11971`, 'drop-params'],
      [
        400,
        /\bcontainer_id is required/i,
        `${github}/anthropics/anthropic-sdk-typescript/issues/1114`,
        'name-container',
      ],
      [
        400,
        /compiled grammar is too large|\bgrammar compilation\b|compilation cost\b|schema is too complex|too many strict tools/i,
        `${github}/anthropics/anthropic-sdk-python/issues/1185`,
        'drop-params',
      ],
      [
        400,
        /^(the parameter )?`?output_config\.effort\b/i,
        `${github}/farion1231/cc-switch/issues/2851`,
        'drop-params',
      ],
      [400, /^invalid beta flag$/i, `${github}/anthropics/claude-code/issues/49370`, 'drop-newest-beta'],
      [400, /maximum of \d+ blocks with cache_control/i, `${github}/tghamm/Anthropic.SDK/issues/50`, 'cache-markers'],
      [400, /defer_loading=true and cache_control\b/i, `${github}/decolua/9router/pull/3687`, 'cache-markers'],
      [400, /cache_control\.ttl: a ttl=/i, `${docs}/build-with-claude/prompt-caching`, 'cache-ttl'],
      [
        400,
        /tool names must be unique|^tools\.\d+\.custom\.name: /i,
        `${github}/anthropics/claude-code/issues/96152`,
        'tool-names',
      ],
      [
        400,
        /^(?!messages\.)[\w.-]+: extra inputs are not permitted/i,
        `${github}/RooCodeInc/Roo-Code/issues/11429`,
        'drop-field',
        'drop-newest-beta',
      ],
      [400, /\banthropic-beta\b/i, `${docs}/api/beta-headers`, 'drop-params', 'drop-newest-beta'],
      [400, /does not support tool types/i, `${docs}/agents-and-tools/tool-use/computer-use-tool`, 'drop-params'],
      [
        400,
        /^(?!messages\.|role 'system').*\b(is|are) not (yet )?(supported|available|allowed) (for|on|by|with|in|when|via) |does not support (the \S+ parameter|effort level|reasoning effort)/i,
        `${docs}/about-claude/models/whats-new-claude-4-6`,
        'drop-params',
      ],
      [
        400,
        /`?(temperature|top_p|top_k)`? (may only|and `?top_p|cannot|must be unset)/i,
        `${docs}/build-with-claude/extended-thinking`,
        'drop-params',
      ],
    ],
  ],
  [
    'transcript-invalid',
    [
      [
        400,
        /blocks in the latest assistant message cannot be modified/i,
        `${github}/anthropics/claude-code/issues/63357`,
        'restore-thinking',
        'strip-thinking',
      ],
      [
        400,
        /bound to a different conversation/i,
        `${docs}/build-with-claude/preserved-thinking`,
        'restore-thinking',
        'drop-block',
        'strip-thinking',
      ],
      [
        400,
        /invalid `signature`/i,
        `${github}/anthropics/claude-code/issues/63357`,
        'restore-thinking',
        'strip-thinking',
      ],
      [
        400,
        /invalid [`']?data[`']? in [`']?redacted_thinking|\b(redacted_thinking\.data|thinking\.signature): field required/i,
        `${github}/anthropics/claude-code/issues/56708`,
        'restore-thinking',
        'strip-thinking',
      ],
      [
        400,
        /blocks must match the parameters during the original request|any thinking blocks, the first block must be/i,
        `${github}/anthropics/claude-code/issues/2171`,
        'restore-thinking',
        'strip-thinking',
      ],
      [
        400,
        /invalid `?encrypted_\w+`? in `?\w+/i,
        `${docs}/agents-and-tools/tool-use/web-search-tool`,
        'unreadable-results',
      ],
      [
        400,
        /expected `thinking` or `redacted_thinking`, but found/i,
        `${github}/sst/opencode/issues/3077`,
        'restore-thinking',
        'thinking-off',
      ],
      [
        400,
        /thinking is disabled, an assistant message in the final position/i,
        `${github}/tailcallhq/forgecode/issues/1853`,
        'strip-thinking',
      ],
      [
        400,
        /^messages\.\S+: extra inputs are not permitted/i,
        `${github}/anthropics/anthropic-sdk-typescript/issues/857`,
        'drop-field',
        'block-as-text',
      ],
      [
        400,
        /^messages\.\d+\.content\.\d+\.tool_result\.content\.\d+/,
        `${docs}/agents-and-tools/tool-use/handle-tool-calls`,
        'block-as-text',
      ],
      [
        400,
        /does not support assistant message prefill|must end with a user message/i,
        `${docs}/build-with-claude/streaming`,
        'continue-after-prefill',
      ],
      [
        400,
        /role 'system' is not supported/i,
        `${docs}/build-with-claude/mid-conversation-system-messages`,
        'convert-system',
      ],
      [
        400,
        /`(tool_use|tool_result|thinking|redacted_thinking)`|tool_use (must have|ids)|tool use (concurrency|with id|block)/i,
        `${docs}/agents-and-tools/tool-use/troubleshooting-tool-use`,
      ],
      [400, /^tool reference '/i, `${github}/anthropics/claude-code/issues/78485`],
      [400, /^messages(\.\d|: )/i, `${github}/anthropics/claude-code/issues/4778`],
      [
        400,
        /text content blocks must|must have non-empty content|cannot be set for empty text blocks/i,
        `${github}/anthropics/claude-code/issues/60837`,
      ],
      [400, /no low surrogate in string|surrogates not allowed/i, `${github}/anthropics/claude-code/issues/60394`],
    ],
  ],
]

export const errorPatterns: readonly ErrorPattern[] = rows.flatMap(([kind, ofKind]) =>
  ofKind.map(([statuses, text, source, ...repairs]) => ({
    statuses: typeof statuses === 'number' ? [statuses] : statuses,
    text,
    kind,
    ...(repairs.length > 0 && { repairs }),
    source,
  })),
)

/** What the text means under this status, if the table knows it. */
export function meaningOfText(status: number, text: string): Meaning | undefined {
  return errorPatterns.find((pattern) => pattern.statuses.includes(status) && pattern.text.test(text))
}
