import { once } from 'node:events'
import { expect, test, vi } from 'vitest'
import { memoryStore } from '../store/memory-store.ts'
import { openSession } from '../session/open-session.ts'
import type { Logger } from './logger.ts'

const key = 'sk-ant-api03-0123456789abcdefghijklmnop'

test('what came from outside is masked before the logger has it', async () => {
  const lines: unknown[] = []
  const take = (fields: object, message: string) => void lines.push({ ...fields, message })
  const logger: Logger = { debug: take, info: take, warn: take, error: take }
  const session = await openSession('ses', { store: memoryStore(), logger })
  await session.startTurn([{ role: 'user', content: 'Hello' }], `coder ${key}`)
  await session.record([
    { type: 'request-sent', model: `a-model-${key}`, attempt: 1 },
    {
      type: 'fault-observed',
      fault: { kind: 'overloaded', status: 529, message: `the key ${key} is over its limit` },
      decision: { kind: 'retry', at: 1_767_225_600_000 },
    },
  ])
  session.emit({ type: 'in-doubt', toolUseId: 't1', name: `run ${key}`, did: 'reported' })
  session.emit({ type: 'backfilled', entries: 3 })
  await session.close()
  expect(lines).toMatchObject([
    { event: 'turn-started', agent: 'coder sk-ant-…[secret]' },
    { event: 'attempt', model: expect.stringMatching(/^a-model-/) as string },
    { event: 'attempt-failed', sessionId: 'ses', fault: 'overloaded', status: 529, message: 'attempt 1 failed' },
    { event: 'waiting', until: '2026-01-01T00:00:00.000Z', reason: 'backoff' },
    { event: 'in-doubt', tool: 'run sk-ant-…[secret]', did: 'reported' },
    { event: 'backfilled', entries: 3 },
  ])
  expect(JSON.stringify(lines)).not.toContain('limit')
})

test('a logger that rejects is dropped with a warning, and the session goes on', async () => {
  const warned = once(process, 'warning')
  const fail = vi.fn<() => Promise<never>>(() => Promise.reject(new Error('the log server is down')))
  const logger: Logger = { debug: fail, info: fail, warn: fail, error: fail }
  const session = await openSession('ses', { store: memoryStore(), logger })
  await session.startTurn([{ role: 'user', content: 'Hello' }])
  expect(await warned).toMatchObject([{ message: 'a listener failed: the log server is down' }])
  await session.record([{ type: 'request-sent', model: 'm', attempt: 1 }])
  expect(fail).toHaveBeenCalledTimes(1)
  await session.close()
})
