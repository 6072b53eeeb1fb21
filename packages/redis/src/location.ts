/** The address of a client's server, for people and for `redis-cli -u`. It never has a user or a password. */
import type { RedisLike } from './client.ts'

export function locationOf(client: RedisLike): string {
  const { host, port, path, db = 0, tls, sentinels, name } = client.options
  const scheme = tls === undefined ? 'redis' : 'rediss'
  const startupNodes = 'startupNodes' in client ? client.startupNodes : undefined
  if (Array.isArray(startupNodes)) return `redis://${clusterNode(startupNodes[0])}`
  if (sentinels?.[0])
    return `${scheme}+sentinel://${hostAndPort(sentinels[0].host, sentinels[0].port ?? 26_379)}/${name}/${db}`
  if (typeof path === 'string') return `unix:${path}?db=${db}`
  return `${scheme}://${hostAndPort(host, port)}/${db}`
}

/** A startup node of a Cluster is a port, an address (which may hold a password) or an object. */
function clusterNode(node: unknown): string {
  if (typeof node === 'number') return hostAndPort(undefined, node)
  if (typeof node === 'object' && node !== null) {
    const { host, port } = node as { host?: string; port?: number }
    return hostAndPort(host, port)
  }
  const text = String(node)
  try {
    const { hostname, port } = new URL(text.includes('://') ? text : `redis://${text}`)
    return hostAndPort(hostname, port === '' ? undefined : Number(port))
  } catch {
    return hostAndPort(undefined, Number(text) || undefined)
  }
}

function hostAndPort(host = '127.0.0.1', port = 6379): string {
  return `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`
}
