/**
 * What puts a promise at risk on the server, or on each master of a Cluster, and in the client; for people.
 *
 * 1. It only reads: INFO, and CONFIG GET of the settings that matter, if the user may; and which rights the user has.
 * 2. A finding common to several masters is reported once, with all their names.
 */
import { shellWord, type Finding } from '@lastgood/core'
import { limitFindings } from './client-limits.ts'
import type { RedisLike } from './client.ts'
import { isForbidden } from './failure.ts'
import { addressed, type Draft, draftsFrom, type Settings, settingNames } from './finding-rules.ts'
import type { Keys } from './keys.ts'
import { locationOf } from './location.ts'
import { rightsDrafts, userOf } from './rights.ts'
import type { Server } from './server.ts'

/** Errors: `store-unavailable`. */
export function redisFindings(server: Server, keys: Keys): Promise<Finding[]> {
  const draftsOf = async (client: RedisLike): Promise<Draft[]> => {
    const [rights, settings] = await Promise.all([rightsDrafts(client, keys, server.nameOf), settingsDrafts(client)])
    return [...rights, ...settings]
  }
  return server.ask(async (client) => {
    // A Cluster knows its masters only once it is ready, for which any question waits, but CLUSTER.
    if (client.nodes) await ifAllowed(client.info())
    const found = client.nodes
      ? await findingsOfMasters(client.nodes('master'), draftsOf)
      : (await draftsOf(client)).map((draft) => addressed(draft, cliOf(client)))
    return [...found, ...limitFindings(client)]
  })
}

async function findingsOfMasters(
  masters: readonly RedisLike[],
  draftsOf: (master: RedisLike) => Promise<Draft[]>,
): Promise<Finding[]> {
  const found = await Promise.allSettled(masters.map(draftsOf))
  const silent = found.find((one) => one.status === 'rejected')
  if (silent && found.every(({ status }) => status === 'rejected')) throw silent.reason
  const first = masters.find((_, i) => found[i]?.status === 'fulfilled')
  const byWhat = new Map<string, { draft: Draft; nodes: RedisLike[] }>()
  for (const [i, one] of found.entries()) {
    for (const draft of one.status === 'fulfilled' ? one.value : [doesNotAnswer]) {
      const known = byWhat.get(draft.what) ?? { draft, nodes: [] }
      known.nodes.push(masters[i] as RedisLike)
      byWhat.set(draft.what, known)
    }
  }
  return [...byWhat.values()].map(({ draft, nodes }) => {
    const [node] = nodes
    const cli = nodes.length > 1 || !node ? `redis-cli --cluster call ${shellWord(nameOf(first ?? node))}` : cliOf(node)
    return addressed({ ...draft, what: `${nodes.map(nameOf).join(', ')}: ${draft.what}` }, cli)
  })
}

const doesNotAnswer: Draft = {
  severity: 'danger',
  what: 'the master does not answer',
  risk: 'P6: its sessions wait, and are suspended when their patience ends',
  mend: () => 'start it again, or let a replica take over: redis-cli -u redis://<replica> CLUSTER FAILOVER TAKEOVER',
}

async function settingsDrafts(client: RedisLike): Promise<Draft[]> {
  const [text, config] = await Promise.all([ifAllowed(client.info()), configOf(client)])
  const info = text === undefined ? undefined : settingsOfInfo(text)
  const isInCluster = info?.get('cluster_enabled') === '1'
  const clusterInfo = isInCluster ? settingsOfInfo(String(await ifAllowed(client.cluster('INFO')))) : []
  return draftsFrom(info && new Map([...info, ...clusterInfo]), config, userOf(client))
}

async function configOf(client: RedisLike): Promise<Settings | undefined> {
  // One by one: several names in one command need Redis 7.
  const values = await ifAllowed(Promise.all(settingNames.map((name) => client.config('GET', name))))
  return values && new Map(values.flatMap(settingsOfReply))
}

/** Undefined if the user may not run the command, or a hosted server does not have it. */
async function ifAllowed<T>(reply: Promise<T>): Promise<T | undefined> {
  try {
    return await reply
  } catch (error) {
    if (isForbidden(error)) return undefined
    throw error
  }
}

/** A name and its value; empty if the server does not know the setting. */
function settingsOfReply(reply: unknown): [string, string][] {
  const [name, value] = Array.isArray(reply) ? (reply as unknown[]) : (Object.entries(reply ?? {})[0] ?? [])
  return typeof name === 'string' && typeof value === 'string' ? [[name, value]] : []
}

function settingsOfInfo(text: string): Settings {
  const lines = text.split(/\r?\n/).filter((line) => line.includes(':'))
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))
}

function nameOf(node: RedisLike | undefined): string {
  return `${node?.options.host}:${node?.options.port}`
}

function cliOf(client: RedisLike): string {
  const location = locationOf(client)
  if (location.startsWith('unix:')) return `redis-cli -s ${shellWord(String(client.options.path))}`
  // Sentinels tell clients where the master is, but redis-cli does not ask them.
  return location.includes('sentinel') ? 'redis-cli -u redis://<master>' : `redis-cli -u ${shellWord(location)}`
}
