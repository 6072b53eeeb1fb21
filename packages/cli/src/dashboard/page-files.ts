/** The built files of the web page. Only files found in the folder are served, so that no path leads out of it. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { dirname, extname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface PageFiles {
  /** `path` without its first slash; undefined where there is no such file. */
  fileAt(path: string): PageFile | undefined
}

export interface PageFile {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly type: string
  readonly tag: string
  /** Its name changes with its content. */
  readonly isHashed: boolean
}

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
}

export function builtPage(): string {
  return join(dirname(fileURLToPath(import.meta.resolve('@lastgood/dashboard'))), 'page')
}

/** The files of `folder`, read on first use; looked for again while there is no page. */
export function pageFiles(folder: string): PageFiles {
  let found = new Map<string, PageFile>()
  return {
    fileAt(path) {
      if (!found.has('index.html')) found = filesIn(folder)
      return found.get(path === '' ? 'index.html' : path)
    },
  }
}

function filesIn(folder: string): Map<string, PageFile> {
  const files = new Map<string, PageFile>()
  for (const name of namesIn(folder)) {
    const type = types[extname(name)]
    const path = name.split(sep).join('/')
    // The template of a report is not part of the page.
    if (type === undefined || path === 'report.html') continue
    const bytes = new Uint8Array(readFileSync(join(folder, name)))
    const tag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`
    files.set(path, { bytes, type, tag, isHashed: path.startsWith('assets/') })
  }
  return files
}

function namesIn(folder: string): string[] {
  try {
    // Not `withFileTypes`: Yarn's Plug'n'Play, which keeps packages as archives, then has no folder for the entries.
    const all = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    return all.filter((name) => lstatSync(join(folder, name)).isFile())
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** In place of a page that was not built, as in a checkout of the sources. */
export const unbuiltPage = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>lastgood</title>
<h1>The page was not built</h1>
<p>This is a checkout of the sources. Build the page, then load this again:</p>
<pre>pnpm build</pre>
<p>The same facts in a terminal: lastgood list, lastgood show, lastgood status.</p>
</html>
`
