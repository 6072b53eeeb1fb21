/** The minimum: one script call that checks fence and sequence, or one line and its fdatasync. */
import { constants } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { job, work } from './work.mjs'

const { url, dir } = job
const { Redis } = url === undefined ? {} : await import('ioredis')

const script = `
local known = redis.call('HMGET', KEYS[1], 'fence', 'seq')
if known[1] ~= ARGV[1] or known[2] ~= ARGV[2] then return 0 end
redis.call('RPUSH', KEYS[2], unpack(ARGV, 4))
redis.call('HSET', KEYS[1], 'seq', ARGV[3])
return 1`

await work(() => (Redis ? redis() : folder()))

async function redis() {
  const client = new Redis(url)
  const sha1 = await client.script('LOAD', script)
  const keys = (id) => [`floor:{${id}}:session`, `floor:{${id}}:journal`]
  return {
    async run(id, next) {
      const [session, journal] = keys(id)
      let step = (await client.llen(journal)) / 2
      if (step === 0) await client.hset(session, 'fence', '1', 'seq', '0')
      for (let content; (content = next(step)); step += 1) {
        const texts = content.messages.map((one) => JSON.stringify(one))
        const done = await client.evalsha(sha1, 2, session, journal, '1', String(step), String(step + 1), ...texts)
        if (done !== 1) throw new Error('the floor was refused')
      }
    },
    read: async (id) => (await client.lrange(keys(id)[1], 0, -1)).map((text) => JSON.parse(text)),
  }
}

function folder() {
  const read = async (id) => {
    const text = await readFile(join(dir, id), 'utf8').catch(() => '')
    return text.split('\n').flatMap((line) => (line === '' ? [] : JSON.parse(line)))
  }
  return {
    async run(id, next) {
      let step = (await read(id)).length / 2
      const handle = await open(join(dir, id), constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o600)
      for (let content; (content = next(step)); step += 1) {
        await handle.write(`${JSON.stringify(content.messages)}\n`)
        await handle.datasync()
      }
      await handle.close()
    },
    read,
  }
}
