/**
 * What `lastgood.config.mjs` imports:
 *
 *     import { defineConfig } from 'lastgood'
 *
 *     export default defineConfig({ store: 'redis://127.0.0.1:6379', agents: { coder } })
 */
export { type LastgoodConfig, defineConfig } from './config.ts'
