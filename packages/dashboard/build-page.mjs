// Builds the web page and the template of a report into dist/.
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

// A test run that builds has another value, and would get the page with the paths of its sources in it.
process.env['NODE_ENV'] = 'production'
const configFile = fileURLToPath(new URL('vite.config.ts', import.meta.url))
for (const mode of ['production', 'report']) await build({ configFile, mode, logLevel: 'warn' })
