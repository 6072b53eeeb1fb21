import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { forkSession, memoryStore, type Store } from '@lastgood/core'
import { compressed, encrypted } from '@lastgood/core/at-rest'
import { fileStore } from '@lastgood/core/file'
import { ManualClock } from '@lastgood/core/testing'
import { describe, expect, it } from 'vitest'
import { answered, ended, newFolder, project, run, seed, sent, started } from '../../test/context.ts'
import { sessionRows } from '../sessions/session-row.ts'
import { found, key as apiKey, node, type Found } from './doctor.fixture.ts'
import { tryHistories } from './histories.ts'

const keyOf = (id: string) => createHash('sha256').update(id).digest('base64')
const whole = [started(1), sent(), answered('Yes.'), ended(1)]

/** A project whose sessions were written with the key `secret`, and are read with `key`. */
async function sealed(key: string, id = 'k1') {
  const cwd = newFolder()
  const dir = join(cwd, 'state')
  const store = compressed(encrypted(fileStore({ dir }), { current: { id: 'k1', key: keyOf('secret') } }))
  for (const name of ['a', 'b']) await seed(store, name, whole)
  writeFileSync(
    join(cwd, 'lastgood.config.mjs'),
    `import { compressed, encrypted } from '${import.meta.resolve('@lastgood/core/at-rest')}'
import { fileStore } from '${import.meta.resolve('@lastgood/core/file')}'
const store = compressed(encrypted(fileStore({ dir: '${dir}' }), { current: { id: '${id}', key: '${key}' } }))
export default { store, agents: {} }\n`,
  )
  const { code, stdout } = await run(['doctor', '--json'], { cwd, env: apiKey, node })
  const { findings, ...document } = JSON.parse(stdout) as Found & { sessions: object }
  return { code, sessions: document.sessions, dangers: findings.filter(({ severity }) => severity === 'danger') }
}

describe('the doctor opens what is recorded as resume would', () => {
  it('with the key that it was written with nothing is wrong', async () => {
    expect(await sealed(keyOf('secret'))).toMatchObject({ code: 0, dangers: [], sessions: { total: 2, tried: 2 } })
  })

  it.each([
    ['another key of the same name', 'k1', /not written here with the key "k1"/],
    ['a key of another name', 'k2', /encrypted with the key "k1", which this store was not given/],
  ])('%s is one danger for all sessions that need it', async (_case, id, what) => {
    const { code, dangers } = await sealed(keyOf('other'), id)
    expect(code).toBe(1)
    expect(dangers).toMatchObject([{ about: 'sessions', what: expect.stringMatching(what) }])
    expect(dangers[0]?.what).toMatch(/^2 sessions \([ab], [ab]\) cannot be opened/)
  })

  it.each([
    ['encrypted', (store: Store) => encrypted(store, { current: { id: 'k1', key: keyOf('secret') } }), /the key "k1"/],
    ['compressed', (store: Store) => compressed(store), /compressed with deflate/],
    ['compressed, kept apart', (store: Store) => compressed(store), /compressed with deflate/, 200_000],
  ])('of sessions that were written %s, a store without that is a danger', async (_how, over, what, length = 2_000) => {
    const { cwd, store } = project()
    await seed(over(store), 'a', [...whole, started(2, 'long '.repeat(length / 5))])
    const { code, findings } = await found(cwd)
    expect(code).toBe(1)
    expect(findings.filter(({ severity }) => severity === 'danger')).toMatchObject([
      {
        about: 'sessions',
        what: expect.stringMatching(what),
        mend: expect.stringMatching(/^open it as it was written/),
      },
    ])
  })

  it('a fork of a session that is gone is a danger', async () => {
    const { cwd, store } = project()
    await seed(store, 'parent', whole)
    await forkSession(store, 'parent', 'child')
    expect((await found(cwd)).code).toBe(0)
    await store.remove('parent')
    const { code, findings } = await found(cwd)
    expect(code).toBe(1)
    expect(findings.filter(({ severity }) => severity === 'danger')).toMatchObject([
      {
        severity: 'danger',
        what: expect.stringMatching(/session parent, which is not there/),
        mend: expect.stringMatching(/lastgood import <file> --store state --as parent$/),
      },
    ])
  })

  it('an entry that the file store has found damaged is told once', async () => {
    const cwd = newFolder()
    const dir = join(cwd, 'state')
    await seed(fileStore({ dir }), 'a', whole)
    const journal = join(dir, 'sessions', 'a.jsonl')
    const lines = readFileSync(journal, 'utf8').split('\n')
    const at = lines.findIndex((line) => line.includes('"turn-started"'))
    lines[at] = lines[at]?.replace('Make it green', 'Make it greem') ?? ''
    writeFileSync(journal, lines.join('\n'))
    const { code, stdout } = await run(['doctor', '--store', dir, '--json'], { cwd, env: apiKey, node })
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ dangers: 1 })
  })
})

it('the newest sessions are tried first, and not for longer than 10 s', async () => {
  const [clock, memory, tried] = [new ManualClock(), memoryStore(), new Array<string>()]
  for (const id of ['old', 'newest', 'new']) await seed(memory, id, whole)
  const at = { old: 1, new: 2, newest: 3 }
  const rows = (await sessionRows(memory, 0)).rows.map((row) => ({
    ...row,
    head: { ...row.head, updatedAt: at[row.head.sessionId as keyof typeof at] },
  }))
  const slow: Store = {
    ...memory,
    async *read(sessionId) {
      tried.push(sessionId)
      await clock.advance(5_000)
      yield* memory.read(sessionId)
    },
  }
  expect(await tryHistories(slow, rows, clock, [])).toEqual({ tried: 2, findings: [] })
  expect(tried).toEqual(['newest', 'new'])
})
