/**
 * `lastgood` on a clock that runs faster than the wall clock: an outage of an hour passes in half a minute. Everything
 * that lastgood waits for and records goes by this clock; its sockets and other processes go by the wall clock.
 *
 *   node fast-gateway.mjs <how many times as fast> gateway …
 */
import process from 'node:process'
import { nodeContext } from '../../packages/cli/dist/node-context.js'
import { main } from '../../packages/cli/dist/program.js'

const speed = Number(process.argv[2])
const context = nodeContext()
const { clock } = context
const beganAt = clock.now()
const now = () => beganAt + (clock.now() - beganAt) * speed

const code = await main({
  ...context,
  argv: context.argv.slice(1),
  clock: {
    ...clock,
    now,
    elapsed: () => clock.elapsed() * speed,
    after: (ms, call) => clock.after(ms / speed, call),
    async sleepUntil(instant, options) {
      do await clock.sleepUntil(clock.now() + (instant - now()) / speed, options)
      while (now() < instant)
    },
  },
})
process.exit(code)
