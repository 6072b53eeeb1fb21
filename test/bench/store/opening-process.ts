/**
 * A process that opens one session until the array of its messages is in memory, or reads and parses the same bytes.
 *
 *     opening-process.js floor <journal> | file <folder> <session> | floor-redis <url> <list> | redis <url> <session>
 *
 * Prints the ms since the process began, the ms for its modules, its processor time, and the number of messages.
 */
import { readFileSync } from 'node:fs'

const [mode, where = '', id = ''] = process.argv.slice(2)

interface Read {
  readonly message?: object
  readonly messages?: readonly object[]
  readonly result?: object
}

interface Opened {
  readonly loaded: number
  readonly messages: readonly unknown[]
}

function messagesIn(entries: readonly Read[]): object[] {
  return entries.flatMap(({ message, messages = [], result }) => [
    ...(message ? [message] : []),
    ...messages,
    ...(result ? [{ role: 'user', content: [result] }] : []),
  ])
}

function floor(): Opened {
  const loaded = performance.now()
  const bytes = readFileSync(where)
  const messages: object[] = []
  for (let from = 0; from < bytes.length;) {
    const newline = bytes.indexOf(10, from)
    const end = newline < 0 ? bytes.length : newline
    if (end > from) {
      const { entries = [] } = JSON.parse(bytes.toString('utf8', from, end)) as { entries?: Read[] }
      for (const message of messagesIn(entries)) messages.push(message)
    }
    from = end + 1
  }
  return { loaded, messages }
}

async function redisFloor(): Promise<Opened> {
  const { Redis } = await import('ioredis')
  const loaded = performance.now()
  const client = new Redis(where)
  const texts = await client.lrange(id, 0, -1)
  return { loaded, messages: messagesIn(texts.map((text) => JSON.parse(text) as Read)) }
}

async function opened(kind: 'file' | 'redis'): Promise<Opened> {
  const { openSession } = await import('@lastgood/core')
  const store = kind === 'file' ? await fileStoreIn(where) : await redisStoreAt(where)
  const loaded = performance.now()
  const session = await openSession(id, { store, takeover: true })
  return { loaded, messages: session.messages() }
}

async function fileStoreIn(dir: string) {
  const { fileStore } = await import('@lastgood/core/file')
  return fileStore({ dir })
}

async function redisStoreAt(url: string) {
  const [{ redisStore }, { Redis }] = [await import('@lastgood/redis'), await import('ioredis')]
  return redisStore(new Redis(url))
}

async function run(): Promise<Opened> {
  if (mode === 'floor') return floor()
  if (mode === 'floor-redis') return redisFloor()
  return opened(mode === 'file' ? 'file' : 'redis')
}

const { loaded, messages } = await run()
const { user, system } = process.cpuUsage()
console.log(
  JSON.stringify({ total: performance.now(), loaded, cpu: (user + system) / 1000, messages: messages.length }),
)
process.exit()
