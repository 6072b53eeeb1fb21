import { memoryStore, type EntryBody, type Store } from '@lastgood/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { answered, ended, overloaded, seed, sent, started } from '../../test/context.ts'
import { stage } from '../../test/dashboard.ts'
import { longestQuoted, withContent } from './shown-entry.ts'

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

/** A store whose second entry of a reading comes when the gate is opened. */
function slow() {
  const inner = memoryStore()
  const seen = { readings: 0, entries: 0 }
  let open!: () => void
  const opened = new Promise<void>((resolve) => (open = resolve))
  const store: Store = {
    ...inner,
    async *read(id, after) {
      seen.readings += 1
      for await (const entry of inner.read(id, after)) {
        if (entry.seq > 1) await opened
        seen.entries += 1
        yield entry
      }
    },
  }
  return { inner, store, seen, open }
}

describe('a reading', () => {
  const done = [started(1), sent(), answered('Yes.'), ended(1)]

  test.each(['/api/sessions/fix-auth?content=1', '/api/sessions/fix-auth/entries/2'])(
    'of %s is one for all who ask while it goes on',
    async (path) => {
      const { inner, store, seen, open } = slow()
      await seed(inner, 'fix-auth', done)
      const { get } = stage(store)
      const all = Promise.all([get(path), get(path), get(path)])
      await expect.poll(() => seen.readings).toBe(1)
      open()
      expect(new Set((await all).map((one) => JSON.stringify(one))).size).toBe(1)
      expect(seen.readings).toBe(1)
      await get(path)
      expect(seen.readings).toBe(2)
    },
  )

  test('is another one for who asks for more of it, or after an entry that it may lack', async () => {
    const { inner, store, seen, open } = slow()
    await seed(inner, 'fix-auth', done)
    const { session } = stage(store)
    const before = [session('fix-auth'), session('fix-auth', '?content=1')]
    await expect.poll(() => seen.readings).toBe(2)
    await seed(inner, 'fix-auth', [started(2), sent(), answered('Again.'), ended(2)])
    const after = session('fix-auth')
    await expect.poll(() => seen.readings).toBe(3)
    open()
    expect((await after).turns).toHaveLength(2)
    await Promise.all(before)
  })

  test('goes on while somebody waits for it, and is given up when the last one has left', async () => {
    const { inner, store, seen, open } = slow()
    await seed(inner, 'fix-auth', done)
    const { ask } = stage(store)
    const [first, last, other] = [new AbortController(), new AbortController(), new AbortController()]
    const asked = [first, last].map(({ signal }) => ask('/api/sessions/fix-auth', { signal }))
    const stays = ask('/api/sessions/fix-auth?content=1', { signal: other.signal })
    await expect.poll(() => seen.entries).toBe(2)
    const leaves = ask('/api/sessions/fix-auth?content=1', { signal: first.signal })
    await new Promise((resolve) => setImmediate(resolve))
    first.abort()
    last.abort()
    const readAll = (await inner.summary('fix-auth'))!.head.seq
    open()
    expect((await stays).status).toBe(200)
    await Promise.all([...asked, leaves])
    // One was at its second entry, the other one came to its end.
    expect(seen.entries).toBe(2 + readAll)
  })
})

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
      inDoubt: [{ name: 'run', input: '', rule: 'report' }],
    })
    const { resume } = await session('fix-auth', '?content=1')
    expect(resume?.inDoubt[0]?.input).toMatch(/^curl -H "x-api-key: .*\[secret\]/)
    const store = memoryStore()
    const call = answered('Deploying.', { id: 't1', name: 'deploy', input: {} })
    await seed(store, 'asks', [
      started(1),
      sent(),
      call,
      { type: 'tool-started', toolUseId: 't1', name: 'deploy', inDoubt: 'ask' },
    ])
    expect((await stage(store).session('asks')).resume?.inDoubt).toMatchObject([{ name: 'deploy', rule: 'ask' }])
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

  test('has no field of a call whose name says that it is secret, also where only that field is quoted', async () => {
    const store = memoryStore()
    const env = { DB_PASSWORD: 'hunter2-hunter2', API_KEY: 'abcd1234efgh5678' }
    const calls = [
      { id: 't1', name: 'deploy', input: { env } },
      { id: 't2', name: 'login', input: { PASSWORD: 'hunter2-hunter2' } },
    ]
    await seed(store, 'obj', [
      started(1),
      sent(),
      answered('Yes.', ...calls),
      ...calls.map(({ id, name }): EntryBody => ({ type: 'tool-started', toolUseId: id, name, inDoubt: 'report' })),
    ])
    const { session, ask } = stage(store)
    const document = await session('obj', '?content=1')
    const entry = await (await ask('/api/sessions/obj/entries/4?content=1')).text()
    expect(document.resume?.inDoubt.map(({ input }) => input)).toEqual([
      '{"env":{"DB_PASSWORD":"[secret]","API_KEY":"[secret]"}}',
      '[secret]',
    ])
    expect(JSON.stringify(document) + entry).not.toMatch(/hunter2|efgh/)
  })

  test('of a request that the API refused with its words has these only with content', async () => {
    const store = memoryStore()
    const message = 'messages.0.content: "MY PRIVATE PLAN" is not allowed'
    await seed(store, 'm', [
      started(1),
      sent(),
      {
        type: 'fault-observed',
        fault: { kind: 'transcript-invalid', status: 400, errorType: 'invalid_request_error', message },
        decision: { kind: 'retry', at: now },
      },
    ])
    const { session } = stage(store)
    const without = await session('m')
    expect(without.turns[0]?.steps).toMatchObject([{ kind: 'fault', fault: '400 invalid_request_error', message: '' }])
    expect(JSON.stringify(without)).not.toContain('PRIVATE')
    expect((await session('m', '?content=1')).turns[0]?.steps).toMatchObject([{ message }])
  })

  test('cuts no secret in two: what is left of it is masked too', () => {
    const secrets = [
      `npm_${'aB3dE6gH9jK2'.repeat(3)}`,
      'postgres://app:S3cretPassw0rd@db/x',
      `-----BEGIN PRIVATE KEY-----\n${'abcdEFGH12345678'.repeat(300)}\n-----END PRIVATE KEY-----`,
    ]
    fc.assert(
      fc.property(
        fc.constantFrom(...secrets),
        fc.integer({ min: 1, max: 6_000 }),
        fc.constantFrom('', ...secrets),
        (secret, at, first) => {
          const text = `${first} ${'x '.repeat(at / 2)} ${secret} and so on ${'y'.repeat(6_000)}`
          const shown = withContent({ text }) as { text: string }
          expect(shown.text).not.toMatch(/aB3dE6|S3cret|abcdEFGH/)
          expect(shown.text.length).toBeLessThan(longestQuoted + 50)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('of a text of ten megabytes comes at once, and is cut', async () => {
    const store = memoryStore()
    const long = `${'\u{1f468}\u200d\u{1f469}'.repeat(400_000)}${'x'.repeat(8_000_000)}\u202e</script>\u0000`
    await seed(store, 'large', [started(1, long), sent(), answered(long), ended(1)])
    const { session, ask } = stage(store)
    // Of the processor: others use it as well.
    const before = process.cpuUsage()
    for (const query of ['', '?content=1']) {
      const document = await session('large', query)
      expect(JSON.stringify(document).length).toBeLessThan(20_000)
    }
    const text = await (await ask('/api/sessions/large/entries/2?content=1')).text()
    expect(text.length).toBeLessThan(200_000)
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(5_000)
    expect(JSON.parse(text)).toMatchObject({
      entry: { messages: [{ content: expect.stringContaining('more characters]') }] },
    })
  })
})
