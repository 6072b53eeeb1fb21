/**
 * The gateway in the same world: clients that nobody can change, in front of one or two addresses at which gateways die,
 * are started again and stand still, with an unreliable store and a failing provider behind; then healthy gateways, until
 * each client has what it wants; then the verdict.
 */
import { memoryStore } from '@lastgood/core'
import type { GatewayOptions } from '@lastgood/gateway'
import { storesOf } from '../at-rest.ts'
import { forgetfulStore } from '../forgetful-store.ts'
import { openProvider } from '../provider.ts'
import { Referee } from '../referee.ts'
import { failing, type Simulation, type SimulationOptions } from '../simulate.ts'
import { World } from '../world.ts'
import { Address } from './address.ts'
import { Client } from './client.ts'
import { judgeGateway, judgeGiven } from './verdict.ts'

export interface GatewaySimulationOptions extends Pick<SimulationOptions, 'newStore'> {
  /** What a test makes wrong. Default: nothing. */
  gateway?: GatewayOptions
  answer?: (response: Response) => Response
}

/** Of the processes at one address. */
const lives = 5
const limitMs = 3 * 3_600_000

export async function simulateGateway(seed: number, options: GatewaySimulationOptions = {}): Promise<Simulation> {
  const world = new World(seed)
  const referee = new Referee(world)
  const lab = openProvider(world, seed)
  const { newStore = (clock) => memoryStore({ clock }) } = options
  const storeFor = storesOf(world, forgetfulStore(newStore(world.clock), world))
  const behind = {
    world,
    referee,
    lab,
    storeFor,
    troubleShare: world.pick([0, 0.02, 0.08]),
    options: options.gateway ?? {},
    answer: options.answer ?? ((response: Response) => response),
  }
  const addresses = Array.from({ length: 1 + world.below(2) }, (_, at) => new Address(`g${at + 1}`, behind))
  const clients = Array.from({ length: 2 }, (_, at) => {
    const client: Client = new Client(`c${at + 1}`, world, lab, addresses, (given) => {
      judgeGiven(world, referee, lab, client, given)
    })
    return client
  })

  async function supervise(address: Address): Promise<void> {
    const endAt = world.clock.now() + 600_000
    for (let life = 1; life < lives && world.clock.now() < endAt; life += 1) {
      await Promise.race([address.live(life, false), world.clock.sleepUntil(endAt)])
      await world.sleep(world.below(20_000))
    }
    lab.setOutages([])
    void address.live(lives, true)
  }

  for (const address of addresses) void supervise(address)
  await world.run(failing(world, Promise.all(clients.map((client) => client.work()))), limitMs)
  judgeGateway(world, referee, lab, clients)
  await lab.close()
  const entries = [...referee.journals.values()].reduce((sum, { length }) => sum + length, 0)
  const { findings, trace, elapsedMs } = world
  return { seed, findings, trace, elapsedMs, entries, requests: lab.requests.length }
}
