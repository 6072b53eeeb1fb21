// Builds the web page into dist/page. With `--mode report`, the template of one file that `lastgood show --html` fills.
//
// 1. What a browser loads stays below its budget, compressed; the build fails above it.
// 2. Nothing is inlined as a data: address, which the page's content security policy would refuse.
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'
import { oneFile } from './one-file.ts'

const budgetBytes = 40_000

export default defineConfig(({ mode }) => ({
  root: join(import.meta.dirname, 'page'),
  // It is served at / and below the gateway's /dashboard/.
  base: './',
  publicDir: mode === 'report' ? false : 'public',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: join(import.meta.dirname, 'dist/page'),
    // The page is built first.
    emptyOutDir: mode !== 'report',
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { input: join(import.meta.dirname, 'page', mode === 'report' ? 'report.html' : 'index.html') },
  },
  plugins: mode === 'report' ? [oneFile()] : [budget()],
}))

function budget(): Plugin {
  return {
    name: 'lastgood-budget',
    enforce: 'post',
    writeBundle(_, bundle) {
      const scripts = Object.values(bundle).filter((file) => file.type === 'chunk')
      const bytes = scripts.reduce((sum, { code }) => sum + gzipSync(code).byteLength, 0)
      this.info(`${bytes} bytes of JavaScript, compressed`)
      if (bytes > budgetBytes) this.error(`${bytes} bytes of JavaScript, compressed, are more than ${budgetBytes}`)
    },
  }
}
