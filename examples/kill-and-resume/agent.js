// @ts-check
/**
 * The agent: two tools over a file of payments. `charge` must not run twice, and its rule says so; `payments` only
 * reads, so it may.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import Anthropic from '@anthropic-ai/sdk'
import { defineAgent, tool } from '@lastgood/anthropic'
import { z } from 'zod'

/** @param {{ api: string, ledger: string }} options */
export function cashier({ api, ledger }) {
  const charge = tool({
    name: 'charge',
    description: 'Charges the customer.',
    input: z.object({ cents: z.number() }),
    inDoubt: 'report', // the default: a call of unknown outcome is reported to the model, and not repeated
    async run({ cents }, { idempotencyKey }) {
      appendFileSync(ledger, `${cents} ${idempotencyKey}\n`)
      await setTimeout(60_000) // the bank takes its time to answer
      return `charged ${cents} cents`
    },
  })
  const payments = tool({
    name: 'payments',
    description: 'Lists the payments that were made.',
    input: z.object({}),
    inDoubt: 'rerun',
    run: () => (existsSync(ledger) ? readFileSync(ledger, 'utf8') : 'none'),
  })
  return defineAgent({
    name: 'cashier',
    client: new Anthropic({ baseURL: api, apiKey: 'any' }),
    model: 'claude-opus-5-5',
    maxTokens: 1024,
    tools: [charge, payments],
  })
}
