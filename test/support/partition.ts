/** Two workers on one Redis, of which one is behind a network that can be broken. */
import { randomUUID } from 'node:crypto'
import { isLastgoodError, openSession, type Session, type Store } from '@lastgood/core'
import { owner } from '@lastgood/core/testing'
import { redisStore } from '@lastgood/redis'
import { Redis, type RedisOptions } from 'ioredis'
import { expect, inject, onTestFinished } from 'vitest'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

const leaseMs = 500

/** As a worker should configure it: no command hangs for ever, and a lost connection is restored. */
const patient: Omit<RedisOptions, 'replyMapping'> = {
  commandTimeout: 150,
  maxRetriesPerRequest: 2,
  retryStrategy: () => 20,
}

export interface Network {
  proxy: TcpProxy
  /** The stores of the worker behind the proxy and of the other worker. */
  far: Store
  near: Store
}

export async function network(): Promise<Network> {
  const url = inject('redisUrl')
  const proxy = await startTcpProxy(Number(new URL(url).port))
  onTestFinished(() => proxy.close())
  const prefix = `test:${randomUUID()}`
  const store = (port: number, options = {}) => {
    const client = new Redis(port, '127.0.0.1', options)
    client.on('error', () => {})
    onTestFinished(() => client.disconnect())
    return redisStore(client, { prefix })
  }
  return { proxy, far: store(proxy.port, patient), near: store(Number(new URL(url).port)) }
}

/** Opens the session without force, once its holder's lease has expired; retries if the store does not answer. */
export async function opened(store: Store, name: string, storePatienceMs = 25_000): Promise<Session> {
  let session: Session | undefined
  const open = () => openSession('ses', { store, owner: owner(name), leaseMs, storePatienceMs })
  await expect
    .poll(
      async () => {
        session = await open().catch((error: unknown) => {
          if (isLastgoodError(error, 'session-busy') || isLastgoodError(error, 'store-unavailable')) return undefined
          throw error
        })
        return session
      },
      { timeout: 15_000 },
    )
    .toBeDefined()
  onTestFinished(() => session?.close().catch(() => {}))
  return session!
}
