/** What is done about parameters and betas that the API refuses, as data, like `refused-cases.fixture.ts`. */
import { type RequestCase, bindingBeta, dropping, params, tool } from '../request/request-case.fixture.ts'

export const refusedParams: readonly RequestCase[] = [
  {
    row: 23,
    rule: 'drop-params',
    claim: 'the named parameters are left out',
    as: 'drop-params:effort,temperature',
    refusal: { message: 'temperature and effort are not supported for this model' },
    in: { params: { ...params, temperature: 1, output_config: { effort: 'high' } } },
    out: { params },
  },
  {
    row: 23,
    rule: 'drop-params',
    claim: 'and so is a named beta',
    as: 'drop-params:old-2025-01-01',
    refusal: { message: 'Unexpected value(s) `old-2025-01-01` for the `anthropic-beta` header.' },
    in: { betas: ['old-2025-01-01', 'new-2026-01-01'] },
    out: { betas: ['new-2026-01-01'] },
  },
  {
    row: 23,
    rule: 'drop-params',
    claim: 'and so is a named type of tool',
    as: 'drop-params:computer_20251124',
    refusal: { message: "'claude-opus-5-5' does not support tool types: computer_20251124" },
    in: { params: { ...params, tools: [tool('read'), { type: 'computer_20251124', name: 'computer' }] } },
    out: { params },
  },
  {
    row: 23,
    rule: 'drop-params',
    claim: 'of the types that the API names, those that it takes stay',
    as: 'drop-params:web_fetch_20250910',
    refusal: {
      message:
        "tools.1: Input tag 'web_fetch_20250910' found using 'type' does not match any of the expected tags: 'bash_20250124', 'custom'",
    },
    in: {
      params: {
        ...params,
        tools: [
          { type: 'bash_20250124', name: 'bash' },
          { type: 'web_fetch_20250910', name: 'web_fetch' },
        ],
      },
    },
    out: { params: { ...params, tools: [{ type: 'bash_20250124', name: 'bash' }] } },
  },
  {
    row: 23,
    rule: 'drop-params',
    claim: 'what the API advises to set otherwise stays as it is',
    as: 'drop-params:effort',
    refusal: {
      message:
        "output_config.effort 'xhigh' is not supported when thinking is disabled on this model. Use effort 'high' or below, or enable thinking.",
    },
    in: {
      params: {
        ...params,
        thinking: { type: 'disabled' },
        output_config: { effort: 'xhigh', format: { type: 'json_schema' } },
      },
    },
    out: {
      params: { ...params, thinking: { type: 'disabled' }, output_config: { format: { type: 'json_schema' } } },
    },
  },
  {
    row: 23,
    rule: 'drop-params',
    claim: 'clearing of thinking is left out where there is none, and nothing else',
    as: 'drop-params:clear_thinking_20251015',
    refusal: { message: '`clear_thinking_20251015` strategy requires `thinking` to be enabled or adaptive' },
    in: {
      params: {
        ...params,
        thinking: { type: 'disabled' },
        context_management: { edits: [{ type: 'clear_thinking_20251015' }, { type: 'clear_tool_uses_20250919' }] },
      },
    },
    out: {
      params: {
        ...params,
        thinking: { type: 'disabled' },
        context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] },
      },
    },
  },
  {
    row: 23,
    rule: 'drop-params',
    claim: 'a beta that the API names in words is found by them',
    as: 'drop-params:context-1m-2025-08-07',
    refusal: { message: 'The long context beta is not yet available for this subscription.' },
    in: { betas: ['new-2026-01-01', 'context-1m-2025-08-07'] },
    out: { betas: ['new-2026-01-01'] },
  },
  {
    row: 23,
    rule: 'drop-params',
    claim: 'so is fast mode, with its beta',
    as: 'drop-params:fast-mode-2026-02-01,speed',
    refusal: { message: 'Fast mode is currently in research preview. It is not yet available via API.' },
    in: { params: { ...params, speed: 'fast' }, betas: ['fast-mode-2026-02-01'] },
    out: { params, betas: [] },
  },
  {
    row: 23,
    rule: 'drop-params',
    claim: 'tools whose schemas are too much for one grammar are no longer strict; the format of the answer stays',
    as: 'drop-params:strict',
    refusal: {
      message:
        'output_config.format.schema: Invalid schema: The compiled grammar is too large, which would cause performance issues. Simplify your tool schemas or reduce the number of strict tools.',
    },
    in: {
      params: { ...params, output_config: { format: {} }, tools: [{ ...tool('read'), strict: true }, tool('edit')] },
    },
    out: { params: { ...params, output_config: { format: {} }, tools: [tool('read'), tool('edit')] } },
  },
  {
    rule: 'drop-newest-beta',
    claim: 'the beta with the latest date is left out, with the setting that needs it',
    as: `drop-newest-beta:${bindingBeta}`,
    in: { params: { ...params, thinking: dropping }, betas: ['old-2025-01-01', bindingBeta] },
    out: { params: { ...params, thinking: { type: 'adaptive' } }, betas: ['old-2025-01-01'] },
  },
  {
    rule: 'drop-newest-beta',
    claim: 'the beta of a login stays: without it the API would refuse the token',
    as: 'drop-newest-beta:old-2025-01-01',
    in: { betas: ['old-2025-01-01', 'oauth-2025-04-20'] },
    out: { betas: ['oauth-2025-04-20'] },
  },
]
