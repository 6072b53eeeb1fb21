import { expect, test } from 'vitest'
import { plainRequest, requestOf, strictCard } from '../request/request-case.fixture.ts'
import { applyRefusalRule } from './refusal-rules.ts'

const [binding, threads, longContext, fast, interleaved] = [
  'thinking-binding-controls-2026-08-01',
  'message-threads-2026-07-01',
  'context-1m-2025-08-07',
  'fast-mode-2026-02-01',
  'interleaved-thinking-2025-05-14',
] as const
const params = {
  ...plainRequest.params,
  temperature: 1,
  speed: 'fast',
  thread: { id: 't' },
  output_config: { effort: 'high' },
  thinking: { type: 'adaptive', block_binding: { prefix_mismatch_behavior: 'drop_block' } },
  tools: [{ type: 'custom', name: 'read', strict: true }],
}
const request = requestOf({ params, betas: [binding, threads, longContext, fast, interleaved, 'undated'] })

/** The request after a refusal in these words, and the name of the repair. */
function after(message: string, rule = 'drop-params', given = request) {
  const fault = { kind: 'params-incompatible', message } as const
  const repaired = applyRefusalRule(rule, given, { card: strictCard, fault })
  return { ...repaired?.outgoing, as: repaired?.repairs[0]?.rule }
}

test('a refusal takes nothing that it does not name', () => {
  const { temperature: _gone, ...left } = params
  expect(after('temperature is not supported with strict custom tools')).toEqual({
    ...request,
    params: left,
    as: 'drop-params:temperature',
  })
})

test('a beta takes along the settings that need it, and no others', () => {
  const without = (beta: string) => request.betas.filter((one) => one !== beta)
  const { thread: _thread, ...threadless } = params
  const unbound = { ...params, thinking: { type: 'adaptive' } }
  for (const [beta, left] of [
    [binding, unbound],
    [threads, threadless],
    [interleaved, params],
  ] as const) {
    expect(after(`Unexpected value(s) \`${beta}\` for the header.`)).toEqual({
      ...request,
      params: left,
      betas: without(beta),
      as: `drop-params:${beta}`,
    })
  }
})

test('the newest beta is one with a date', () => {
  expect(after('', 'drop-newest-beta')).toMatchObject({ as: `drop-newest-beta:${binding}` })
  const undated = requestOf({ betas: ['undated', 'other'] })
  expect(after('', 'drop-newest-beta', undated)).toEqual({ as: undefined })
  expect(after('', `drop-newest-beta:${binding}`, undated)).toEqual({ as: undefined })
})
