/** A gateway of the command line, as a process of its own. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { endProcess } from '../support/end-process.ts'
import { listen } from './child.ts'
import { root } from './places.ts'

/** How a gateway is started: as usual, except for these. */
export interface GatewayStart {
  /** How many times as fast as the wall clock its clock runs. Default 1. */
  readonly speed?: number
  /** More of its options. */
  readonly args?: readonly string[]
}

export interface GatewayProcess {
  readonly url: string
  /** All its output. */
  heard(): string
  stop(): Promise<void>
}

export async function startGateway(
  { speed = 1, args = [] }: GatewayStart,
  upstream: string,
  folder: string,
): Promise<GatewayProcess> {
  const program =
    speed === 1
      ? [join(root, 'packages/cli/dist/bin/lastgood.js')]
      : [join(root, 'test/clients/fast-gateway.mjs'), String(speed)]
  const place = ['--port', '0', '--upstream', upstream, '--store', `file:${join(folder, 'state')}`]
  const child = spawn(process.execPath, [...program, 'gateway', ...place, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
    // An interrupt ends our process group; this process is to be ended by us, after its client.
    detached: true,
  })
  const heard = listen(child)
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', () => {
      const found = /^(http:\S+)\n/m.exec(heard())?.[1]
      if (found) resolve(found)
    })
    child.once('error', reject)
    child.once('close', () => reject(new Error(`the gateway did not start: ${heard()}`)))
  })
  return {
    url,
    heard,
    // Requests that still wait for an answer are not waited for.
    stop: () => endProcess(child),
  }
}
