// Puts a page's scripts and styles into its HTML, under a policy that allows these and nothing else.
import { createHash } from 'node:crypto'
import type { Plugin } from 'vite'

export function oneFile(): Plugin {
  return {
    name: 'lastgood-one-file',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const files = Object.values(bundle)
        const page = files.find(({ fileName }) => fileName.endsWith('.html'))
        const [script, ...more] = files.filter((file) => file.type === 'chunk')
        if (page?.type !== 'asset' || !script || more.length > 0) return this.error('expected one page with one script')
        // Where it says </script in a text, the browser would end the script.
        const code = `${script.code.replaceAll('</script', '<\\/script')}\n`
        const style = files
          .flatMap((file) => (file.type === 'asset' && file.fileName.endsWith('.css') ? [String(file.source)] : []))
          .join('\n')
        const policy = [
          "default-src 'none'",
          `script-src ${hash(code)}`,
          `style-src ${hash(style)}`,
          "base-uri 'none'",
          "form-action 'none'",
        ].join('; ')
        const head = String(page.source)
          .replace(/\s*<(script|link)\b[^>]*\b(src|href)="[^"]*\.(js|css)"[^>]*>(<\/script>)?/g, '')
          .replace(
            '<meta charset="utf-8" />',
            `$&\n    <meta http-equiv="content-security-policy" content="${policy}" />`,
          )
          .replace('</head>', () => `  <style>${style}</style>\n  </head>`)
        // The data comes before the script, which reads it. A replacement is a function: `$` in code means nothing.
        page.source = head.replace(
          '</body>',
          () =>
            `  <script type="application/json" id="session">null</script>\n    <script type="module">${code}</script>\n  </body>`,
        )
        for (const name of Object.keys(bundle)) if (bundle[name] !== page) delete bundle[name]
      },
    },
  }
}

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
