/**
 * What `lastgood.config.mjs` imports:
 *
 *     import { defineConfig } from 'lastgood'
 *
 *     export default defineConfig({ store: 'redis://127.0.0.1:6379', agents: { coder } })
 *
 * and a program with a loop of its own:
 *
 *     import { showOutages } from 'lastgood'
 *
 *     const hide = showOutages(session)
 */
export { type LastgoodConfig, defineConfig } from './config.ts'
export { showOutages, type ShowOutagesOptions } from './live/show-outages.ts'
