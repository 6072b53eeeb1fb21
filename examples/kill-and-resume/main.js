// @ts-check
/**
 * Starts `program.js`, kills it (SIGKILL) in the middle of a payment, and starts it again.
 *
 *     npm start
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { reply, startLab, story, text, toolUse } from '@lastgood/outage-lab'

const program = fileURLToPath(new URL('program.js', import.meta.url))
const dir = await mkdtemp(join(tmpdir(), 'lastgood-kill-and-resume-'))
const ledger = join(dir, 'payments')

/** What the model says. Told that the outcome of its call is unknown, it looks before it repeats anything. */
const lab = await startLab({
  model: story([
    reply([text('I charge the customer.'), toolUse('charge', { cents: 4200 })]),
    {
      expect: { toolResult: 'outcome is unknown' },
      reply: reply([text('Did that happen? I look.'), toolUse('payments')]),
    },
    { expect: { toolResult: '4200' }, reply: reply(text('Order 17 is paid, once.')) },
  ]),
})

try {
  console.log('-- the first start')
  await run((line, child) => void (line.includes('tool-started') && killWhenPaid(child)))
  console.log('-- killed in the middle of the payment; the same again')
  const lines = await run(() => {})

  const payments = (await readFile(ledger, 'utf8')).trim().split('\n')
  console.log(`-- payments made: ${payments.length}`)
  assert.equal(payments.length, 1)
  assert(lines.includes('reply: Order 17 is paid, once.'))
} finally {
  await lab.close()
  await rm(dir, { recursive: true })
}

/**
 * Runs the program to its end, and returns the lines that it printed.
 *
 * @param {(line: string, child: import('node:child_process').ChildProcess) => void} onLine
 */
async function run(onLine) {
  const child = spawn(process.execPath, [program, lab.url, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = /** @type {string[]} */ ([])
  createInterface(child.stdout).on('line', (line) => {
    console.log(line)
    lines.push(line)
    onLine(line, child)
  })
  await once(child, 'close')
  return lines
}

/** @param {import('node:child_process').ChildProcess} child */
async function killWhenPaid(child) {
  while (!(await readFile(ledger, 'utf8').catch(() => ''))) await new Promise((resolve) => setTimeout(resolve, 20))
  child.kill('SIGKILL')
}
