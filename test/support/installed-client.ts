/** A real client for a test, which is skipped, and told of, where it cannot be had. */
import type { TestContext } from 'vitest'
import type { Client } from '../clients/clients.ts'
import { installAll, isWanted, type Installed } from '../clients/install.ts'

/** The folder of its programs. */
export async function installed(client: Client, context: TestContext): Promise<string> {
  return binOf(
    client,
    isWanted(client) ? (await installAll([client], context.signal)).get(client.name) : undefined,
    context,
  )
}

export function binOf(client: Client, found: Installed | undefined, context: TestContext): string {
  if (!found) return context.skip('not installed; LASTGOOD_CLIENTS=1 fetches it')
  if ('bin' in found) return found.bin
  process.stderr.write(`${client.name} was not tried: ${found.missing}\n`)
  return context.skip(found.missing)
}
