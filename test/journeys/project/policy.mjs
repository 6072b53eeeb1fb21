/** An outage in a test is short: each wait is `WAIT_MS`, without jitter. */
const waitMs = Number(process.env.WAIT_MS ?? 50)
const wait = { baseMs: 0, capMs: 0, longCapMs: 0, minMs: waitMs }

export const policy = {
  rules: { 'server-transient': wait, overloaded: wait, transport: wait, 'stream-cut': { ...wait, quickMs: waitMs } },
}
