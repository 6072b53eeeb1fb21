// Builds the web page and the template of a report into dist/.
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const configFile = fileURLToPath(new URL('vite.config.ts', import.meta.url))
for (const mode of ['production', 'report']) await build({ configFile, mode, logLevel: 'warn' })
