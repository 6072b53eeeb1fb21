/**
 * An address at which one gateway after another lives: each is a process that may die or stand still, at any store call,
 * any request to the API and any piece of an answer. A client that calls while none lives is refused.
 */
import type { Store } from '@lastgood/core'
import { createGateway, type Gateway, type GatewayOptions } from '@lastgood/gateway'
import type { LocalLab } from '@lastgood/outage-lab'
import { Process } from '../process.ts'
import { models } from '../provider.ts'
import { unreliableStore } from '../unreliable-store.ts'
import type { Referee } from '../referee.ts'
import type { World } from '../world.ts'

export interface Behind {
  world: World
  referee: Referee
  lab: LocalLab
  storeFor: () => Store
  troubleShare: number
  options: GatewayOptions
  /** What a test makes wrong. */
  answer: (response: Response) => Response
}

export interface Call {
  status: number
  headers: Headers
  next(): Promise<Uint8Array | undefined>
}

export class Address {
  readonly name: string
  readonly #it: Behind
  #living: { process: Process; gateway: Gateway } | undefined

  constructor(name: string, it: Behind) {
    this.name = name
    this.#it = it
  }

  /** One life; resolves when it is over. A healthy one ends with the world. */
  async live(life: number, isHealthy: boolean): Promise<void> {
    const { world, referee, lab, storeFor, troubleShare, options } = this.#it
    const process = new Process(world, `${this.name}.${life}`, isHealthy)
    const died = process.death.then(() => Promise.reject(new TypeError('fetch failed')))
    died.catch(() => {})
    const gateway = createGateway({
      upstream: lab.url,
      store: unreliableStore(referee.watch(storeFor()), process, referee, isHealthy ? 0 : troubleShare),
      clock: process.clock,
      fallback: world.chance(0.3) ? [{ model: models[1] }] : [],
      policy: { horizonMs: world.pick([60_000, 3_600_000]), cutText: world.pick(['keep', 'resend']) },
      fetch: (url, init) => {
        const answered = process.contact(async () => {
          await world.sleep(world.below(30))
          world.tell(process.name, `asks the API: ${lab.requests.length + 1}`)
          return lab.fetch(url, { ...init, body: textOf(init.body) })
        })
        return Promise.race([answered, died])
      },
      ...options,
    })
    this.#living = { process, gateway }
    if (!isHealthy && world.chance(0.3)) void world.sleep(world.below(120_000)).then(() => stop(process, gateway))
    await process.death
    this.#living = undefined
  }

  /** Rejects when the connection breaks. */
  async call(request: Request): Promise<Call> {
    const { world, answer } = this.#it
    await world.sleep(world.below(20))
    const living = this.#living
    if (!living) throw new TypeError('connection refused')
    const { process, gateway } = living
    const died = process.death.then(() => Promise.reject(new TypeError('terminated')))
    died.catch(() => {})
    const response = answer(await Promise.race([process.contact(() => gateway.fetch(request)), died]))
    const reader = response.body?.getReader()
    return {
      status: response.status,
      headers: response.headers,
      next: async () => (await Promise.race([process.contact(async () => reader?.read()), died]))?.value,
    }
  }
}

/** As a redeploy does: it is told to end, and does. */
async function stop(process: Process, gateway: Gateway): Promise<void> {
  if (process.isDead) return
  process.world.tell(process.name, 'is stopped')
  await Promise.race([gateway.close(), process.death])
  if (!process.isDead) process.die()
}

const textOf = (body: unknown): string =>
  typeof body === 'string' ? body : new TextDecoder().decode(body as Uint8Array)
