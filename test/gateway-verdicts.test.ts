/**
 * `safeguards`: the API says of each call of an answer whether it is dangerous, at the end of the answer. Claude Code in
 * auto mode runs no call without that, and asks no more of them once an answer came without.
 */
import { reply, text, toolUse, type CutPoint } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { countTool } from './support/counting-story.ts'
import { hello, post, setUp, type SetUp } from './support/gateway-stage.ts'
import { entriesOf } from './support/harness.ts'

const headers = { 'x-claude-code-session-id': 'ses', 'anthropic-beta': 'dangerous-tool-use-2026-09-03' }
const safeguards = (about: string) => [{ type: 'dangerous_tool_use', classifier_context: { about } }]
const asks = { ...hello, tools: [countTool], safeguards: safeguards('first'), stream: true }
const model: NonNullable<SetUp['lab']>['model'] = ({ messages }) =>
  messages.length > 1 ? reply(text('Counted.')) : reply([text('I count.'), toolUse('count', { n: 1 })])
const cut = (after: CutPoint) => [{ when: { request: 1 }, fault: { kind: 'cut', after, how: 'reset' } as const }]

interface Heard {
  type: string
  content_block?: { type: string; id: string }
  delta?: { stop_reason?: string; safeguard_results?: unknown }
}

/** The calls of a streamed answer, and what its end says of them. */
async function calls(response: Response) {
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith('data: '))
  const events = lines.map((line) => JSON.parse(line.slice(6)) as Heard)
  const ids = events.flatMap(({ content_block: block }) => (block?.type === 'tool_use' ? [block.id] : []))
  return { ids, said: events.find(({ delta }) => delta?.stop_reason !== undefined)?.delta?.safeguard_results }
}

const verdictsOn = (ids: readonly string[]) => [
  {
    type: 'dangerous_tool_use',
    status: {
      type: 'available',
      tool_uses: Object.fromEntries(ids.map((id) => [id, { type: 'evaluated', outcome: 'not_flagged' }])),
    },
  },
]

describe('a client that asks for verdicts on its calls gets each call with its verdict', () => {
  test.each<[string, CutPoint, number]>([
    ['after the call', { before: 'message_delta' }, 2],
    ['after the verdict', { before: 'message_stop' }, 1],
  ])('though the answer broke off %s', async (_where, after, requests) => {
    const { gateway, lab } = await setUp({ lab: { model, outages: cut(after), toolIds: 'fresh' } })
    const { ids, said } = await calls(await post(gateway, asks, { headers }))
    expect(ids).toHaveLength(1)
    expect(said).toEqual(verdictsOn(ids))
    expect(lab.requests).toHaveLength(requests)
  })

  test('also where the answer is given again, though the client says something else about itself by then', async () => {
    const { gateway, lab } = await setUp({ lab: { model } })
    const first = await calls(await post(gateway, asks, { headers }))
    const again = { ...asks, safeguards: safeguards('second') }
    expect(await calls(await post(gateway, again, { headers }))).toEqual(first)
    const whole = await post(gateway, { ...again, stream: false }, { headers })
    expect(await whole.json()).toMatchObject({ safeguard_results: verdictsOn(first.ids) })
    expect(lab.requests).toHaveLength(1)
  })
})

test('who did not ask for verdicts gets the call of a broken answer as it is', async () => {
  const { safeguards: _none, ...plain } = asks
  const { gateway, lab } = await setUp({ lab: { model, outages: cut({ before: 'message_delta' }) } })
  expect(await calls(await post(gateway, plain, { headers }))).toMatchObject({ ids: [expect.any(String)] })
  expect(lab.requests).toHaveLength(1)
})

test('an answer without verdicts is not given to who asks for them', async () => {
  const { gateway, lab } = await setUp({ lab: { model } })
  const { safeguards: _none, ...plain } = asks
  await calls(await post(gateway, plain, { headers }))
  expect((await calls(await post(gateway, asks, { headers }))).said).toBeDefined()
  expect(lab.requests).toHaveLength(2)
})

test('what a client says about each request for its verdicts is not recorded with all of its parameters (P7)', async () => {
  const { gateway, store, lab } = await setUp({ lab: { model } })
  const { ids } = await calls(await post(gateway, asks, { headers }))
  const call = { type: 'tool_use', id: ids[0], name: 'count', input: { n: 1 } }
  const next = {
    ...asks,
    safeguards: safeguards('second'),
    messages: [
      ...hello.messages,
      { role: 'assistant', content: [{ type: 'text', text: 'I count.' }, call] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: ids[0], content: 'counted 1' }] },
    ],
  }
  await (await post(gateway, next, { headers })).text()
  expect(lab.requests.at(-1)?.body).toMatchObject({ safeguards: safeguards('second') })
  const entries = await entriesOf(store)
  expect(entries.filter(({ type }) => type === 'envelope-changed')).toHaveLength(1)
})
