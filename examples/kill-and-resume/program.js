// @ts-check
/**
 * The program that is killed and started again. It does not know whether it is a restart: it is the same each time.
 *
 *     node program.js <address of the API> <folder>
 */
import { join } from 'node:path'
import { openSession } from '@lastgood/anthropic'
import { fileStore } from '@lastgood/core/file'
import { cashier } from './agent.js'

const [api = '', dir = ''] = process.argv.slice(2)
const session = await openSession('order-17', { store: fileStore({ dir }) })
console.log(
  `pid ${process.pid}: turn ${session.turn}, saved up to turn ${session.lastGoodTurn}, owes ${session.owed.kind}`,
)
session.subscribe((event) => {
  if (event.type === 'entry') console.log(`  ${String(event.entry.seq).padStart(2)} ${event.entry.type}`)
})

const reply = await session.run(cashier({ api, ledger: join(dir, 'payments') }), 'Charge order 17: 42 dollars.')

console.log(`reply: ${reply.text}`)
await session.close()
