import { memoryStore } from '@lastgood/core'
import { describe, expect, test } from 'vitest'
import { answered, ended, overloaded, seed, sent, started } from '../../test/context.ts'
import { stage } from '../../test/dashboard.ts'

const key = 'sk-ant-api03-abcdefghijklmnop'
const call = { id: 'toolu_1', name: 'run', input: { command: `curl -H "x-api-key: ${key}"` } }
const now = Date.now()

async function board() {
  const store = memoryStore()
  await seed(store, 'fix-auth', [
    started(1, `Use ${key} and make it green`),
    sent(),
    overloaded(60_000, now),
    sent(2),
    answered('Looking.', call),
    { type: 'tool-started', toolUseId: 'toolu_1', name: 'run', inDoubt: 'report' },
  ])
  return stage(store)
}

describe('the page of a session', () => {
  test('has facts and no content until that is asked for; then content without keys', async () => {
    const { session } = await board()
    const without = await session('fix-auth')
    expect(without).toMatchObject({
      hasContent: false,
      totals: { requests: 2, faults: 1, tools: 1, tokens: { input: 1000, cacheRead: 900, output: 50 } },
      turns: [{ turn: 1, state: 'open', message: '' }],
    })
    expect(without.turns[0]?.steps).toMatchObject([
      { kind: 'fault', fault: '529 overloaded_error' },
      { kind: 'answer', text: '' },
      { kind: 'tool', name: 'run', input: '', result: '' },
    ])
    expect(JSON.stringify(without)).not.toMatch(/green|Looking|curl/)
    const having = await session('fix-auth', '?content=1')
    expect(having.turns[0]).toMatchObject({ message: 'Use sk-ant-…[secret] and make it green' })
    expect(JSON.stringify(having)).toContain('curl')
    expect(JSON.stringify(having)).not.toContain('api03')
  })

  test('says what a resume would do and which calls are in doubt, where it can be resumed', async () => {
    const { session } = await board()
    expect((await session('fix-auth')).resume).toMatchObject({
      turn: 1,
      lastGoodTurn: 0,
      does: 'turn 1 is open: continuing with 1 tool call',
      inDoubt: [{ name: 'run', input: '' }],
    })
    const { resume } = await session('fix-auth', '?content=1')
    expect(resume?.inDoubt[0]?.input).toMatch(/^curl -H "x-api-key: .*\[secret\]/)
    const store = memoryStore()
    await seed(store, 'done', [started(1), sent(), answered('Yes.'), ended(1)])
    expect((await stage(store).session('done')).resume).toBeNull()
  })

  test('has the provider under its own time', async () => {
    const { session } = await board()
    const { provider } = (await session('fix-auth')).bands
    expect(provider.at(-1)).toMatchObject({ state: 'up', to: null })
  })

  test('gives one entry, with its content only where that is asked for', async () => {
    const { get, ask } = await board()
    const path = '/api/sessions/fix-auth/entries/2'
    expect(await get(path)).toMatchObject({
      hasContent: false,
      entry: {
        type: 'turn-started',
        messages: [{ role: 'user', content: expect.stringMatching(/^\[\d+ characters\]$/) }],
      },
    })
    expect(await get(`${path}?content=1`)).toMatchObject({
      entry: { messages: [{ content: 'Use sk-ant-…[secret] and make it green' }] },
    })
    for (const seq of ['0', '99', '-1', '1e3', '__proto__', '99999999999999999999']) {
      expect((await ask(`/api/sessions/fix-auth/entries/${seq}`)).status).toBe(404)
    }
  })

  test('of a text of ten megabytes comes at once, and is cut', async () => {
    const store = memoryStore()
    const long = `${'\u{1f468}\u200d\u{1f469}'.repeat(400_000)}${'x'.repeat(8_000_000)}\u202e</script>\u0000`
    await seed(store, 'large', [started(1, long), sent(), answered(long), ended(1)])
    const { session, ask } = stage(store)
    const startedAt = performance.now()
    for (const query of ['', '?content=1']) {
      const document = await session('large', query)
      expect(JSON.stringify(document).length).toBeLessThan(20_000)
    }
    const text = await (await ask('/api/sessions/large/entries/2?content=1')).text()
    expect(text.length).toBeLessThan(200_000)
    expect(performance.now() - startedAt).toBeLessThan(5_000)
    expect(JSON.parse(text)).toMatchObject({
      entry: { messages: [{ content: expect.stringContaining('more characters]') }] },
    })
  })
})
