import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EntryBody, Store } from '@lastgood/core'
import { expect, test } from 'vitest'
import { ended, obliging, project, run, seed, sent, started } from '../../test/context.ts'

const model = 'claude-opus-5-5'
const large: EntryBody = {
  type: 'response-received',
  message: {
    id: 'msg_1',
    role: 'assistant',
    model,
    content: [{ type: 'text', text: 'Yes.' }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 4_000, cache_read_input_tokens: 996_000, output_tokens: 0 },
  },
}
const open: EntryBody[] = [
  started(1),
  { type: 'envelope-changed', envelope: { body: { model, max_tokens: 1000 }, betas: [] } },
  sent(),
  large,
  ended(1),
  started(2),
  sent(),
]

async function stage(config = '') {
  const { cwd, store } = project()
  writeFileSync(
    join(cwd, 'lastgood.config.mjs'),
    `export default { store: './state', agents: { ${obliging} }, ${config} }`,
  )
  await seed(store, 's', open)
  return { cwd, store }
}

const seqOf = async (store: Store) => (await store.summary('s'))?.head.seq

test('a dry run says what would be done and what it costs, and changes nothing', async () => {
  const { cwd, store } = await stage()
  const before = await seqOf(store)
  const { code, stdout, stderr } = await run(['resume', 's', '--dry-run'], { cwd })
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'lastgood resume s\n' })
  expect(stderr).toMatch(/state {4}saved at turn 1; turn 2 is open: continuing\n/)
  expect(stderr).toMatch(/cost {5}about \$0\.40 to read 1,000,\d{3} tokens: the cache is warm for .* \(prices of /)
  expect(await seqOf(store)).toBe(before)
})

test.each(['session-suspended', 'fault-observed'] as const)(
  'of one that is parked it says what is open (%s)',
  async (type) => {
    const { cwd, store } = await stage()
    const parked: EntryBody =
      type === 'session-suspended'
        ? { type, reason: 'exhausted', detail: 'the limit is reached' }
        : { type, fault: { kind: 'config', status: 400 }, decision: { kind: 'fail', reason: 'refused' } }
    await seed(store, 'parked', [...open, parked])
    const { stderr } = await run(['resume', 'parked', '--dry-run'], { cwd })
    expect(stderr).toMatch(/state {4}saved at turn 1; turn 2 is open: continuing\n/)
  },
)

test('as JSON it has the numbers', async () => {
  const { cwd } = await stage()
  const { stdout } = await run(['resume', 's', '--dry-run', '--json'], { cwd })
  expect(JSON.parse(stdout)).toMatchObject({
    schema: 'lastgood.resume-preview/v1',
    sessionId: 's',
    owes: 'send-request',
    cost: { model, cache: 'warm', usd: expect.closeTo(0.4, 1) as number },
    command: 'lastgood resume s',
  })
})

test('a resume says what it costs before it goes on', async () => {
  const { cwd } = await stage()
  const { code, stderr } = await run(['resume', 's'], { cwd })
  expect(code).toBe(0)
  expect(stderr).toMatch(/\ncost {5}about \$0\.40 to read /)
})

test('what costs more than the configuration says wants a yes', async () => {
  const { cwd, store } = await stage('confirmAboveUsd: 0.2')
  const before = await seqOf(store)
  const refused = await run(['resume', 's'], { cwd })
  expect(refused.code).toBe(2)
  expect(refused.stderr).toMatch(/This costs about \$0\.40 to read .* Continue\? There is no terminal to ask at/)
  expect(await seqOf(store)).toBe(before)
  expect((await run(['resume', 's', '--yes'], { cwd })).code).toBe(0)
})

test.each([
  ['what costs less does not', 'confirmAboveUsd: 1'],
  ["the user's own prices count", `confirmAboveUsd: 0.2, prices: { '${model}': { input: 0.1 } }`],
])('%s', async (_what, config) => {
  const { cwd } = await stage(config)
  expect((await run(['resume', 's'], { cwd })).code).toBe(0)
})
