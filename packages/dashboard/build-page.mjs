// Builds the web page and the report template into dist/.
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

// A build during a test run has another value, and its page would contain the paths of its sources.
process.env['NODE_ENV'] = 'production'
const configFile = fileURLToPath(new URL('vite.config.ts', import.meta.url))
for (const mode of ['production', 'report']) await build({ configFile, mode, logLevel: 'warn' })
