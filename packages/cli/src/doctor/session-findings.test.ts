import { readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { openSession } from '@lastgood/core'
import { describe, expect, it } from 'vitest'
import { answered, overloaded, seed, sent, started } from '../../test/context.ts'
import { found, healthy } from './doctor.fixture.ts'

describe('sessions that do not go on by themselves', () => {
  it('one that waits, one that was cut, one that asks, one that is parked: each with its command', async () => {
    const { cwd, store } = await healthy()
    const call = { id: 't', name: 'run', input: {} }
    const begun = { type: 'tool-started', toolUseId: 't', name: 'run', inDoubt: 'ask' } as const
    await seed(store, 'waits', [started(1), sent(), overloaded(-7_200_000, Date.now())])
    await seed(store, 'cut', [started(1), sent(), answered('', call), begun])
    await seed(store, 'asks', [
      started(1),
      sent(),
      answered('', call),
      { type: 'session-suspended', reason: 'needs-input', detail: 'was it deployed?' },
    ])
    await seed(store, 'parked', [started(1), { type: 'session-suspended', reason: 'exhausted', detail: 'spent' }])
    const { code, findings } = await found(cwd)
    expect(code).toBe(0)
    expect(findings).toMatchObject([
      {
        severity: 'warning',
        what: 'session asks needs a person: was it deployed?',
        mend: 'lastgood resume asks --store state --in-doubt report',
      },
      {
        severity: 'warning',
        what: 'session cut was cut off in the middle of a turn: the process is gone, with 1 tool call of unknown outcome',
        mend: 'lastgood resume cut --store state',
      },
      {
        severity: 'warning',
        what: 'session waits waits for the API, and no process is left to try again: a try was due 2h ago',
        mend: 'lastgood resume waits --store state',
      },
      { severity: 'info', what: 'session parked is suspended: spent', mend: 'lastgood resume parked --store state' },
    ])
  })

  it('several of one kind are one finding with the list that has them', async () => {
    const { cwd, store } = await healthy()
    for (const id of ['a', 'b', 'c', 'd'])
      await seed(store, id, [started(1), sent(), overloaded(3_600_000, Date.now())])
    expect((await found(cwd)).findings).toEqual([
      expect.objectContaining({
        what: expect.stringMatching(/^4 sessions \(\w, \w, \w, …\) wait for the API, .*: the next try is due in /),
        mend: 'lastgood list --state waiting --store state',
      }),
    ])
  })

  it('that are parked for reasons of their own are not told one of them', async () => {
    const { cwd, store } = await healthy()
    const parked = (detail: string) => ({ type: 'session-suspended', reason: 'exhausted', detail }) as const
    for (const id of ['a', 'b']) await seed(store, id, [started(1), parked(`the limit of ${id}`)])
    expect((await found(cwd)).findings).toMatchObject([
      { what: expect.stringMatching(/^2 sessions \(\w, \w\) are suspended: each for its own reason$/) },
    ])
  })

  it('one that a live process holds is nobody’s trouble', async () => {
    const { cwd, store } = await healthy()
    await seed(store, 'held', [started(1), sent()], true)
    expect((await found(cwd)).findings).toEqual([])
  })

  it('one that was begun here by an agent which the configuration lost is a warning', async () => {
    const { cwd, store } = await healthy()
    const session = await openSession('old', { store, cwd })
    await session.startTurn([{ role: 'user', content: 'x' }], 'writer')
    await session.close()
    expect((await found(cwd)).findings.map(({ what }) => what)).toContain(
      'session old was run by an agent that the configuration does not have: writer',
    )
  })

  it('one whose journal lost its end is a danger that is told once', async () => {
    const { cwd } = await healthy()
    const journal = join(cwd, 'state', 'sessions', 'done.jsonl')
    const text = readFileSync(journal, 'utf8')
    truncateSync(journal, Buffer.byteLength(text.slice(0, text.trimEnd().lastIndexOf('\n'))))
    const { code, findings } = await found(cwd)
    expect(code).toBe(1)
    expect(findings).toMatchObject([{ severity: 'danger', what: expect.stringMatching(/its end was lost$/) }])
  })
})
