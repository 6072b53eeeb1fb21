import { defineConfig } from 'lastgood'
import { coder } from './agent.mjs'
import { policy } from './policy.mjs'

const { CONFIRM_ABOVE_USD, STATUS_URL } = process.env

// oxlint-disable-next-line import/no-default-export
export default defineConfig({
  agents: { coder },
  policy,
  statusPage: STATUS_URL === undefined ? false : { urls: [STATUS_URL] },
  ...(CONFIRM_ABOVE_USD !== undefined && { confirmAboveUsd: Number(CONFIRM_ABOVE_USD) }),
})
